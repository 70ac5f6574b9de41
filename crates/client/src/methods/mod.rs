//! The methods of the APIs as functions of [`Client`](crate::Client): the protocol's, those of Falconer's own API that move records and sentences about scopes, and its events.

mod applications;
mod auth;
mod end_grant;
mod events;
mod falconer;
mod people;
mod scope_registries;

pub use end_grant::GrantEnd;
pub use events::{Events, ServerEvent, is_temporary};
pub use people::PeopleSearch;
