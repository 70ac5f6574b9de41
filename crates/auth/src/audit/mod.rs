//! What happened: the audit as the API shows it, and the feed of changes that others follow.

pub(crate) mod event;
pub(crate) mod feed;
pub(crate) mod history;
pub(crate) mod recent;
mod unread;
