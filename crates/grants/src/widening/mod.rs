//! More than a grant gives: whoever has it asks its person, with a reason, and comes for another grant. Nothing of the one before changes.

pub(crate) mod answer;
pub(crate) mod collect;
pub(crate) mod new_request;
