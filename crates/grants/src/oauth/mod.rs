//! OAuth 2 for registered applications: the request, what is exchanged for what, and what is taken back.

pub(crate) mod authorization;
pub(crate) mod exchange;
pub(crate) mod parameters;
pub(crate) mod scope_text;
