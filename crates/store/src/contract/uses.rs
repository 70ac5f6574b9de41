//! Last uses that a store has not noted.

/// What [`Store::note_uses`](crate::Store::note_uses) could not note beside others: whoever wanted it noted does so again, with this alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsesLeft {
    /// Last uses of clients `(clientId, ms)`.
    pub clients: Vec<(String, i64)>,
    /// Of grants `(id, ms, uses)`.
    pub grants: Vec<(String, i64, i64)>,
}
