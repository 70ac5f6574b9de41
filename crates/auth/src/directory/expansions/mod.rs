//! Which expansions a node remembers, within the bound of `cache_mib`: sets that answers are made of, and the roles that apply, by which a verdict is found.

pub(crate) mod cache;
pub(crate) mod compact;
pub(crate) mod generation;
pub(crate) mod list;
pub(crate) mod list_hasher;
pub(crate) mod remembered;
pub(crate) mod sets;
pub(crate) mod striped;
