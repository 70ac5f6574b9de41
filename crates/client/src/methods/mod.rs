//! The methods of the APIs as functions of [`Client`](crate::Client): the protocol's, those of Falconer's own API that move records, and its events.

mod applications;
mod auth;
mod events;
mod falconer;
mod people;

pub use events::{Events, ServerEvent, is_temporary};
pub use people::PeopleSearch;
