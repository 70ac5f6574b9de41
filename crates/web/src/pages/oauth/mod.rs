//! OAuth 2 for registered applications (RFC 6749): the page that people see, and what applications ask behind it; `unanswerable` is what people
//! see where nobody can be sent back.

pub(crate) mod authorize;
pub(crate) mod cors;
pub(crate) mod endpoints;
pub(crate) mod introspect;
pub(crate) mod metadata;
pub(crate) mod proof;
pub(crate) mod pushed;
pub(crate) mod refused;
pub(crate) mod register;
pub(crate) mod unanswerable;
