//! What a service says, to whom, and what it writes down.

pub(super) mod cross_origin;
pub(crate) mod documents;
pub(crate) mod falconer_away;
pub(super) mod secrets_in_answers;
pub(super) mod secrets_in_logs;
