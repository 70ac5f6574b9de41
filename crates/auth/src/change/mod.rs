//! How every change happens: it is decided on a snapshot, committed together with those that were decided at the same time, applied to the
//! directory, and then answered. Here are who acts, the decision, the group, the commit, and what a change makes of the directory.

pub(crate) mod acting;
pub(crate) mod apply;
pub(crate) mod commit;
pub(crate) mod decide;
pub(crate) mod group;
pub(crate) mod locked;
