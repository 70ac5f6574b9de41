//! What a node answers from: loading everything at one revision, and the feed of what has changed since.

pub(crate) mod feed;
pub(crate) mod history;
pub(crate) mod load;
