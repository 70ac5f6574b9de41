//! Devices without a browser (RFC 8628): what they ask behind the page, and the page on which a person types their code.

pub(crate) mod endpoint;
pub(crate) mod page;
