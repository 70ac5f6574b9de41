//! Signatures in URLs, which are good for one GET until they end.

pub(super) mod bewit_beside_a_header;
pub(super) mod bewit_for_a_change;
pub(super) mod bewit_that_does_not_hold;

/// How long good ones are good, in seconds.
const LIFETIME: i64 = 600;
