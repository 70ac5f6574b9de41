//! Upkeep: removing what has ended, sealing again with a newer key, and who of several processes does it. It takes no revision.

pub(crate) mod leases;
pub(crate) mod prune;
mod reseal;

pub(crate) use reseal::{needs_older_keys, reseal};
