//! Administration of people: a list, one person, the forms, what is done with one button, links for a password, and what somebody would get. The use cases decide
//! who may what, as they do for the API.

pub(crate) mod confirm;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod map;
pub(crate) mod password_link;
mod person;
