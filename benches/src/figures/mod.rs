//! What a run says: table, JSON and plot.

pub mod plot;
pub mod report;
