//! Hashes by which lists of scopes are looked for.

use std::hash::Hasher as _;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;

/// Its seed is drawn by the node, so that nobody outside knows which lists share a place, and a repeated run of a measurement finds them at the same ones.
#[derive(Clone)]
pub(crate) struct ListHasher {
    seed: u64,
    shared: SharedSeed,
}

impl ListHasher {
    pub(crate) fn new(seed: u64) -> ListHasher {
        ListHasher { seed, shared: SharedSeed::from_u64(seed) }
    }

    /// Where one scope ends and the next begins is not part of it: what is found is compared scope by scope.
    pub(crate) fn hash<'l>(&self, list: impl Iterator<Item = &'l [u8]>) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared);
        list.for_each(|scope| hasher.write(scope));
        hasher.finish()
    }
}
