//! Following the store: catching up with what others have written, waiting for a revision, and how old what the node answers from may be.

pub(crate) mod at_least;
mod can_change;
pub(crate) mod catch_up;
pub(crate) mod contact;
pub(crate) mod figures;
pub(crate) mod writable;
