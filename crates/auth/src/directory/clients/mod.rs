//! The clients of a node: a million of them take little memory, and one that is used is at hand. They lie in pages that are ordered by the clientId, in a packed form;
//! a client that is used for the first time is made of it, and stays beside its page.

pub(crate) mod client;
pub(crate) mod entry;
mod loading;
mod numbers;
pub(crate) mod packed;
mod page;
mod record;
mod set;
mod words;

pub(crate) use loading::Clients;
pub(crate) use set::ClientSet;
