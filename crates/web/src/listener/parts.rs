//! Bytes of an answer that lie in one place, or in three of which the one in the middle is long.

use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Such bytes, which go out as one.
pub(crate) enum Parts {
    One(Bytes),
    /// On the heap, so that the usual answer is no larger.
    Three(Box<[Bytes; 3]>),
}

impl Parts {
    /// A text with something long at this place, which is sent from where it lies.
    pub(crate) fn around(mut text: Bytes, at: usize, long: Bytes) -> Parts {
        let before = text.split_to(at.min(text.len()));
        Parts::Three(Box::new([before, long, text]))
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.has_remaining()
    }

    fn all(&self) -> &[Bytes] {
        match self {
            Parts::One(bytes) => std::slice::from_ref(bytes),
            Parts::Three(three) => &**three,
        }
    }
}

impl Default for Parts {
    fn default() -> Parts {
        Parts::One(Bytes::new())
    }
}

impl From<Bytes> for Parts {
    fn from(bytes: Bytes) -> Parts {
        Parts::One(bytes)
    }
}

impl From<Parts> for Bytes {
    fn from(parts: Parts) -> Bytes {
        match parts {
            Parts::One(bytes) => bytes,
            Parts::Three(three) => three.concat().into(),
        }
    }
}

impl Buf for Parts {
    fn remaining(&self) -> usize {
        self.all().iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.all().iter().find(|bytes| !bytes.is_empty()).map(|bytes| &**bytes).unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let all = self.all().iter().filter(|bytes| !bytes.is_empty());
        slices.iter_mut().zip(all).map(|(slice, bytes)| *slice = IoSlice::new(bytes)).count()
    }

    fn advance(&mut self, mut count: usize) {
        match self {
            Parts::One(bytes) => bytes.advance(count),
            Parts::Three(three) => {
                for bytes in three.iter_mut() {
                    let taken = count.min(bytes.len());
                    bytes.advance(taken);
                    count -= taken;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_are_read_as_one_whatever_the_steps() {
        let parts = |long| Parts::around(Bytes::from_static(b"abcd"), 3, Bytes::from_static(long));
        for (long, whole) in [(&b"12345"[..], &b"abc12345d"[..]), (b"", b"abcd")] {
            assert_eq!(Bytes::from(parts(long)), whole);
            for step in 1..=whole.len() {
                let (mut left, mut read) = (parts(long), Vec::new());
                while !left.is_empty() {
                    let mut slices = [IoSlice::new(b""); 2];
                    let count = left.chunks_vectored(&mut slices);
                    assert_eq!(slices.first().map(|slice| &**slice), Some(left.chunk()));
                    let shown: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
                    let taken = shown.len().min(step);
                    read.extend_from_slice(&shown[..taken]);
                    left.advance(taken);
                    assert_eq!(left.remaining(), whole.len() - read.len());
                }
                assert_eq!(read, whole);
            }
        }
    }
}
