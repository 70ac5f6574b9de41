//! What becomes of a request: `gateway.rs` decides, `in_use.rs` lets another take its place, `site.rs` is one protected origin, `request_head.rs` is the head of it, `refused.rs` why not, `answer.rs` what
//! somebody gets who gets no further, `watched.rs` asks again for what stays open, `pages.rs` the gateway's own addresses below `/.falconer/`.

mod answer;
mod ending;
mod gateway;
mod in_use;
mod pages;
mod refused;
mod request_head;
mod site;
mod watched;

pub(crate) use answer::Answer;
pub use gateway::Gateway;
pub(crate) use gateway::{Decision, LetThrough};
pub use in_use::{InUse, NeedsRestart};
pub(crate) use refused::Refused;
pub(crate) use request_head::RequestHead;
pub(crate) use watched::{GatewayRecheck, RULES_REPLACED, Watched};
