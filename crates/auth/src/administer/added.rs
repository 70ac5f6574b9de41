//! What a list has that another one lacks.

use std::collections::HashSet;
use std::hash::Hash;

/// Those of `list` that are not in `had`, in their order. In time for the sum of both: each may have ten thousand.
pub(crate) fn added<'l, T: Eq + Hash>(list: &'l [T], had: &[T]) -> Vec<&'l T> {
    let had: HashSet<&T> = had.iter().collect();
    list.iter().filter(|one| !had.contains(one)).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

    use super::*;

    thread_local! {
        static COMPARED: Cell<u32> = const { Cell::new(0) };
    }

    #[derive(Debug)]
    struct Counted(u32);

    impl PartialEq for Counted {
        fn eq(&self, other: &Counted) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            self.0 == other.0
        }
    }

    impl Eq for Counted {}

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    /// An import compared each scope of a client with each that it had: a hundred million comparisons for one client, while all changes waited.
    #[test]
    fn ten_thousand_are_compared_with_ten_thousand_in_as_many_steps() {
        let numbers = |range: std::ops::Range<u32>| range.map(Counted).collect::<Vec<_>>();
        let (had, list) = (numbers(0..10_000), numbers(5_000..15_000));
        let added = added(&list, &had);
        let compared = COMPARED.get();
        assert!(added.iter().map(|one| one.0).eq(10_000..15_000));
        assert!(compared < 20_000, "{compared}");
    }
}
