//! One file a command.

pub mod account;
pub mod client;
pub mod config_check;
pub mod curl;
pub mod demo;
pub mod events;
pub mod export;
pub mod import;
pub mod init;
pub mod role;
pub mod root_reset;
pub mod scopes;
pub mod serve;
pub mod setup_link;
pub mod signin;
pub mod user;
