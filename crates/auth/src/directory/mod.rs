//! What a node answers from: an immutable snapshot of clients, roles, grants and people at one revision. Here are the snapshot, its entries,
//! the packed form of a client, the expansions that are remembered, and the last uses that the store does not know yet.

pub(crate) mod entries;
pub(crate) mod packed;
pub(crate) mod remembered;
pub(crate) mod snapshot;
pub(crate) mod uses;
