//! What every step promises, whatever it writes: the revision, the rows of the feed, the rows of the audit.

pub(crate) mod audit;
pub(crate) mod decisions;
pub(crate) mod feed;
pub(crate) mod following;
pub(crate) mod together;
