//! Choices of a random history.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

/// Small, seeded, and good enough to choose with.
pub struct Dice(u64);

impl Dice {
    /// The throws of one history, always the same.
    pub fn of(number: u64) -> Dice {
        Dice(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    pub fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.roll(items.len() as u64)).unwrap()].clone()
    }

    pub fn some(&mut self, items: &[&str]) -> Vec<String> {
        items.iter().filter(|_| self.roll(3) == 0).map(|item| (*item).to_owned()).collect()
    }
}
