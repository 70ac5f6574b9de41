//! `falconer person ...`: people and their identities, in the data directory of a server on this machine, or over the API of a server anywhere.

mod change;
mod command;
mod here;
mod history;
mod place;
mod there;

pub use command::{Person, run};
pub use place::{Place, PlaceOptions};
