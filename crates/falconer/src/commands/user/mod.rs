//! Commands for users of any server that speaks the protocol: getting credentials, and using them.

pub mod attack;
pub mod curl;
pub mod events;
mod options;
pub mod scopes;
pub mod signin;

pub use options::{ServerOptions, ServiceRefused, UserOptions, grant_of_environment, next_step, server_url};
