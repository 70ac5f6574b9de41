//! What becomes of a request: `gateway.rs` decides, `site.rs` is one protected origin, `asked.rs` is what is asked about, `refused.rs` why not, `answer.rs` what
//! somebody gets who gets no further, `pages.rs` the gateway's own addresses below `/.falconer/`.

mod answer;
mod asked;
mod gateway;
mod pages;
mod refused;
mod site;

pub(crate) use answer::Answer;
pub(crate) use asked::Asked;
pub use gateway::Gateway;
pub(crate) use gateway::{Decision, LetThrough};
pub(crate) use refused::Refused;
