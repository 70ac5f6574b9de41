//! Delivery: the address that carries credentials back to a site, or an answer of OAuth 2 to an application, and the client that a program on the person's own machine gets.

pub(crate) mod application;
pub mod redirect;
pub(crate) mod tool_client;
