//! What a node answers from: an immutable snapshot of clients, roles, grants, people and applications at one revision. Here are the snapshot, its entries,
//! the packed form of clients, the expansions that are remembered, what is known of grants that are not here, following the store, and the last uses that the store does not know yet.

pub(crate) mod absent_grants;
pub(crate) mod clients;
pub(crate) mod entries;
pub(crate) mod expansions;
pub(crate) mod flush_uses;
pub(crate) mod following;
pub(crate) mod last_uses;
pub(crate) mod records;
pub(crate) mod roles;
pub(crate) mod snapshot;
