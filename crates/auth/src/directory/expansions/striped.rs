//! A count that all threads add to at once, without writing the same memory.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// More threads than that share them.
const STRIPES: usize = 16;

/// The number of the thread that is given one next.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static MINE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The number of this thread among those that count, in the order in which they began to: for shards of counts.
pub fn thread_number() -> usize {
    MINE.get().unwrap_or_else(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        MINE.set(Some(number));
        number
    })
}

/// Alone on its cache lines.
#[derive(Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

/// A part for each thread; whoever asks adds them up.
#[derive(Default)]
pub(crate) struct Striped([Stripe; STRIPES]);

impl Striped {
    pub(crate) fn add_one(&self) {
        if let Some(stripe) = self.0.get(thread_number() % STRIPES) {
            stripe.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_more_threads_than_stripes_add_up() {
        let count = Striped::default();
        std::thread::scope(|scope| {
            for _ in 0..STRIPES * 2 + 1 {
                scope.spawn(|| (0..100).for_each(|_| count.add_one()));
            }
        });
        assert_eq!(count.sum(), (STRIPES as u64 * 2 + 1) * 100);
    }
}
