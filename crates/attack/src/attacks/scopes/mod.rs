//! What callers may: those that lack the scope, those that have one that looks like it, and other ways to the same place.

pub(super) mod listed_route;
pub(super) mod look_alike_scope;
pub(super) mod other_spelling;
pub(super) mod star_identity;
pub(super) mod without_scope;
