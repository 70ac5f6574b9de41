//! Commands for users of any server that speaks the protocol: getting credentials, and using them.

pub mod attack;
pub mod curl;
pub mod events;
mod grant_page;
mod next_step;
pub mod offline;
mod options;
pub mod proxy;
pub mod scopes;
mod shell;
pub mod signin;
pub mod signout;

pub use grant_page::any_scope;
pub use next_step::{named, next_step, tls_problem};
pub use options::{ServerOptions, ServiceRefused, UserOptions, grant_of_environment, server_url};
