//! Where people pass on what they may do: to a site, or to a program on their machine.

pub(crate) mod grant;
pub(crate) mod tool_client;
