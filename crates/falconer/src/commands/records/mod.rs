//! Commands that read and write the clients, roles and applications of a server, with the credentials of the environment.

pub mod application;
pub mod client;
mod deletion;
pub mod export;
pub mod import;
mod initial_token;
mod listing;
pub mod role;
