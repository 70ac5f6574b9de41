//! Upkeep: removing what has ended, and sealing again with a newer key. It takes no revision.

mod prune;
mod reseal;

pub(crate) use prune::prune;
pub(crate) use reseal::{needs_older_keys, reseal};
