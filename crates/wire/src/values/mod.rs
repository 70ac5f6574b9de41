//! Values that travel as text: times, durations, continuation tokens and URLs.

pub mod continuation;
pub mod date_time;
pub mod time_expression;
pub mod urls;
