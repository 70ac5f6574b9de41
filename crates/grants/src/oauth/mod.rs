//! OAuth 2 for applications: the request, what is exchanged for what, and what is taken back.

pub(crate) mod client;
mod code;
pub(crate) mod credentials;
pub(crate) mod error;
pub(crate) mod introspection;
pub(crate) mod prepared;
pub(crate) mod proof;
mod refresh;
pub(crate) mod request;
pub(crate) mod secrets;
pub(crate) mod signed;
pub(crate) mod token;
