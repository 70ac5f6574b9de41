//! Delivery: the address that carries credentials back to a site, and the client that a program on the person's own machine gets.

pub mod redirect;
pub(crate) mod tool_client;
