//! Sessions: what a person is signed in as on this machine, by name, kept in a private file for the commands that follow.

mod chosen;
pub mod live;
mod record;
pub mod refresh;
pub mod status;
mod store;
pub mod switch;
pub mod whoami;

pub use chosen::{Chosen, Source, choose, source_in_use, store};
pub use record::{Session, default_name, name};
