//! OAuth 2 for registered applications: the request, what is exchanged for what, and what is taken back.

pub(crate) mod authorization;
pub(crate) mod client;
mod code;
pub(crate) mod credentials;
pub(crate) mod error;
pub(crate) mod introspection;
pub(crate) mod parameters;
mod refresh;
pub(crate) mod resources;
pub(crate) mod scope_text;
pub(crate) mod secrets;
pub(crate) mod token;
