//! Memory in which long arrays are put together. The thread uses it again: asking the allocator for it, and having it set to zero, takes a good part of the time in
//! which an array of 60 KB is put together.

use std::cell::RefCell;
use std::mem;

/// The allocator gives less than this in a short time.
const LEAST: usize = 8 << 10;
/// More than this is given back.
const MOST: usize = 256 << 10;
/// So many buffers a thread keeps. More are in use where answers wait for those who read them.
const KEPT: usize = 4;

thread_local! {
    /// The one that was given back last is the last.
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes of which nothing is known: whoever takes them writes all that is read of them.
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// At least so many bytes.
    pub(crate) fn new(length: usize) -> Buffer {
        let take = |free: &RefCell<Vec<Vec<u8>>>| {
            let mut free = free.try_borrow_mut().ok()?;
            let at = free.iter().rposition(|bytes| bytes.len() >= length)?;
            Some(free.remove(at))
        };
        let taken = if length < LEAST { None } else { FREE.try_with(take).ok().flatten() };
        Buffer(taken.unwrap_or_else(|| vec![0; length]))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !(LEAST..=MOST).contains(&self.0.len()) {
            return;
        }
        let mut bytes = mem::take(&mut self.0);
        let keep = |free: &RefCell<Vec<Vec<u8>>>| {
            let Ok(mut free) = free.try_borrow_mut() else { return };
            if free.len() < KEPT {
                free.push(bytes);
            } else if let Some(shortest) = free.iter_mut().min_by_key(|bytes| bytes.len()).filter(|shortest| shortest.len() < bytes.len()) {
                mem::swap(shortest, &mut bytes);
            }
        };
        // A thread that ends keeps nothing.
        let _ = FREE.try_with(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free() -> Vec<usize> {
        FREE.with_borrow(|free| free.iter().map(Vec::len).collect())
    }

    #[test]
    fn a_thread_keeps_a_few_buffers_and_takes_the_last_that_is_long_enough() {
        drop([Buffer::new(LEAST - 1), Buffer::new(MOST + 1)]);
        assert_eq!(free(), Vec::<usize>::new());
        drop((1..=KEPT).map(|n| Buffer::new(n * LEAST)).collect::<Vec<_>>());
        assert_eq!(free(), [LEAST, 2 * LEAST, 3 * LEAST, 4 * LEAST]);
        let (long, short, new) = (Buffer::new(3 * LEAST + 1), Buffer::new(LEAST), Buffer::new(5 * LEAST));
        assert_eq!((long.bytes().len(), short.bytes().len(), new.bytes().len()), (4 * LEAST, 3 * LEAST, 5 * LEAST));
        drop((long, short));
        assert_eq!(free(), [LEAST, 2 * LEAST, 4 * LEAST, 3 * LEAST]);
        drop(new);
        assert_eq!(free(), [5 * LEAST, 2 * LEAST, 4 * LEAST, 3 * LEAST], "in place of the shortest");
        let long = Buffer(vec![0; LEAST]);
        drop(long);
        assert_eq!(free(), [5 * LEAST, 2 * LEAST, 4 * LEAST, 3 * LEAST], "what is shorter than all goes");
    }
}
