//! Values that travel as text: times, durations, continuation tokens, scopes as OAuth 2 writes them, and URLs.

pub mod continuation;
pub mod date_time;
pub mod scope_text;
pub mod time_expression;
pub mod urls;
