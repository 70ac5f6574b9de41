//! Commands of whoever runs a server, on its machine: they open its data directory, also while the server runs, and need no credentials.

pub mod account;
pub mod clock;
pub mod keys;
mod local_options;
pub mod provider;
pub mod repair;
pub mod root_reset;
pub mod setup_link;
pub mod why;

pub use local_options::{LocalOptions, PrintOptions};
