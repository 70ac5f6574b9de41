//! Upkeep: removing what has ended, sealing again with a newer key, who of several nodes does it and which keys each has, and what an operator wants to know. It takes no revision.

pub(crate) mod examine;
pub(crate) mod leases;
pub(crate) mod node_keys;
pub(crate) mod prune;
mod reseal;

pub(crate) use reseal::{needs_older_keys, reseal};
