//! Commands for users of any server that speaks the protocol: getting credentials, and using them.

pub mod attack;
pub mod curl;
pub mod events;
pub mod exec;
mod next_step;
pub mod offline;
mod options;
pub mod proxy;
pub mod scopes;
pub mod session;
mod shell;
pub mod signing_in;

pub use next_step::{named, next_step, tls_problem};
pub use options::{NO_SERVER, ServerOptions, ServiceRefused, UserOptions, grant_in_use, server_url};
pub use signing_in::grant_page::any_scope;
