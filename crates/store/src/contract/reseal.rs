//! Sealing again with a newer key, part by part, so that each value is looked at once.

/// Where a round of [`Store::reseal`](crate::Store::reseal) is. The default is its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResealFrom {
    /// Which of the sealed columns, in the store's own order.
    pub column: usize,
    /// The row that was looked at last, by its key; empty before the first.
    pub row: String,
}

/// What one part of a round came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// How many values were sealed again.
    pub count: u32,
    /// Where to go on; `None` at the end of the round.
    pub next: Option<ResealFrom>,
}
