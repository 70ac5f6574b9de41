//! Applications by OAuth 2: the flow, what is refused, and the reference's recorded sessions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod agents;
mod bearer;
mod command_line;
mod derived;
mod devices;
mod documents;
mod dpop;
mod introspection;
mod keys;
mod misuse;
mod oauth;
mod oauth_recorded;
mod oauth_refusals;
mod openid;
mod pushed;
mod refresh;
mod refused;
mod registration;
mod resources;
mod signed;
#[path = "../site/mod.rs"]
mod site;
#[path = "../snapshot/mod.rs"]
mod snapshot;
mod unasked;
mod widening;
