//! Commands that read and write the clients, roles and applications of a server, and what services say of their scopes, with the credentials of the environment.

pub mod application;
pub mod client;
mod deletion;
pub mod export;
pub mod import;
mod initial_token;
mod listing;
pub mod role;
pub mod scope_registry;
