//! What a run says: table, JSON and plot.

pub(crate) mod lines;
pub mod plot;
pub mod report;
