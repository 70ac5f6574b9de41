//! Many texts in one piece of memory: a node holds every client, and half of what a client takes would else be what the allocator adds to each text.

use zeroize::Zeroize as _;

/// Texts, one behind the other, with where each ends in front of them. Wiped when dropped: one of them may be a secret.
pub(crate) struct Packed(Box<[u8]>);

/// Some texts as they lie.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'p> {
    /// One behind the other.
    pub(crate) text: &'p [u8],
    /// Where each ends, counted from `start` before the first; little-endian.
    pub(crate) ends: &'p [[u8; NUMBER]],
    pub(crate) start: u32,
}

impl<'p> Piece<'p> {
    /// Where each ends, counted from the first.
    pub(crate) fn ends(self) -> impl Iterator<Item = u32> + Clone + use<'p> {
        self.ends.iter().map(move |end| u32::from_le_bytes(*end).wrapping_sub(self.start))
    }

    /// One after the other.
    pub(crate) fn each(self) -> impl Iterator<Item = &'p [u8]> + Clone {
        let mut from = 0;
        self.ends().map(move |end| {
            let to = end as usize;
            let one = self.text.get(from..to).unwrap_or_default();
            from = to;
            one
        })
    }
}

/// Bytes of a number.
const NUMBER: usize = size_of::<u32>();

impl Packed {
    /// These texts in this order.
    pub(crate) fn new<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Packed {
        let (count, length) = texts.clone().fold((0_usize, 0_usize), |(count, length), text| (count + 1, length + text.len()));
        let mut bytes = Vec::with_capacity(NUMBER * (count + 1) + length);
        bytes.extend_from_slice(&number(count));
        let mut end = 0;
        for text in texts.clone() {
            end += text.len();
            bytes.extend_from_slice(&number(end));
        }
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
        }
        // INVARIANT: the capacity is the length, so that nothing is copied and left behind.
        Packed(bytes.into_boxed_slice())
    }

    /// The text of this place; empty where there is none.
    pub(crate) fn get(&self, at: usize) -> &str {
        text(self.bytes(at))
    }

    /// The texts from this place on.
    pub(crate) fn from(&self, at: usize) -> impl Iterator<Item = &str> + Clone {
        self.bytes_from(at).map(text)
    }

    /// One as bytes: without looking whether it is a text again.
    pub(crate) fn bytes(&self, at: usize) -> &[u8] {
        self.bytes_from(at).next().unwrap_or_default()
    }

    /// The same for all from this place on.
    pub(crate) fn bytes_from(&self, at: usize) -> impl Iterator<Item = &[u8]> + Clone {
        self.piece_from(at).each()
    }

    /// All from this place on, as they lie.
    pub(crate) fn piece_from(&self, at: usize) -> Piece<'_> {
        let (count, rest) = self.0.split_first_chunk::<NUMBER>().unwrap_or((&[0; NUMBER], &[]));
        let (ends, texts) = rest.split_at_checked((u32::from_le_bytes(*count) as usize).saturating_mul(NUMBER)).unwrap_or_default();
        let (before, ends) = ends.as_chunks::<NUMBER>().0.split_at_checked(at).unwrap_or_default();
        let start = before.last().map_or(0, |end| u32::from_le_bytes(*end));
        Piece { text: texts.get(start as usize..).unwrap_or_default(), ends, start }
    }
}

/// INVARIANT: they were texts.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl Drop for Packed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// No record comes near four gigabytes: what a request may hold is bounded far below.
fn number(value: usize) -> [u8; NUMBER] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_as_they_went_in() {
        for texts in [&[][..], &[""], &["a"], &["", "b", "", "\u{e9}\u{1f600}", "c d"]] {
            let packed = Packed::new(texts.iter().copied());
            for at in 0..texts.len() + 2 {
                let rest: Vec<&str> = packed.from(at).collect();
                assert_eq!(rest, texts.get(at..).unwrap_or_default());
                assert_eq!(packed.get(at), texts.get(at).copied().unwrap_or_default());
            }
            assert!(packed.bytes_from(1).eq(packed.from(1).map(str::as_bytes)));
        }
    }
}
