//! Commands that read and write the clients and roles of a server, with the credentials of the environment.

pub mod client;
mod deletion;
pub mod export;
pub mod import;
mod listing;
pub mod role;
