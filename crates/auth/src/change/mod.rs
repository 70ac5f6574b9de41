//! How every change happens: it is decided on a snapshot, committed together with those that were decided at the same time, applied to the
//! directory, and then answered.

pub(crate) mod decide;
pub(crate) mod turn;
