//! Targets: where credentials may go. Each is exact; the administrator may know some by name.

pub(crate) mod in_words;
pub(crate) mod registered;
pub mod target;
