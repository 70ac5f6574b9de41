//! Numbers and texts one behind the other, a small number in a byte.

/// Bits of a number in one byte; the highest bit says that more follow.
const BITS: u32 = 7;
const MORE: u8 = 1 << BITS;

/// The longest form of a number.
pub(super) const LONGEST: usize = 10;

pub(super) fn put_number(to: &mut Vec<u8>, mut value: u64) {
    while value >= u64::from(MORE) {
        to.push(value as u8 | MORE);
        value >>= BITS;
    }
    to.push(value as u8);
}

/// One that is near zero takes a byte, whatever its sign.
pub(super) fn put_signed(to: &mut Vec<u8>, value: i64) {
    put_number(to, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

pub(super) fn put_text(to: &mut Vec<u8>, text: &[u8]) {
    put_number(to, text.len() as u64);
    to.extend_from_slice(text);
}

/// What is read, from its beginning on. What is not there is empty, or zero.
#[derive(Clone, Copy)]
pub(super) struct Reader<'r>(pub(super) &'r [u8]);

impl<'r> Reader<'r> {
    pub(super) fn number(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            value |= u64::from(byte & !MORE) << shift;
            shift += BITS;
            if byte & MORE == 0 || shift > 63 {
                break;
            }
        }
        value
    }

    /// A length or a place.
    pub(super) fn size(&mut self) -> usize {
        usize::try_from(self.number()).unwrap_or(usize::MAX)
    }

    pub(super) fn signed(&mut self) -> i64 {
        let value = self.number();
        (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
    }

    pub(super) fn bytes(&mut self, length: usize) -> &'r [u8] {
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    pub(super) fn text(&mut self) -> &'r [u8] {
        // Nearly all are so short, and a verdict compares some of them.
        let length = match self.0.split_first() {
            Some((&length, rest)) if length < MORE => {
                self.0 = rest;
                usize::from(length)
            }
            _ => self.size(),
        };
        self.bytes(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_come_out_as_they_went_in() {
        let signed = [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN, 1_767_225_600_000];
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u64::MAX];
        let mut bytes = Vec::new();
        numbers.iter().for_each(|number| put_number(&mut bytes, *number));
        signed.iter().for_each(|number| put_signed(&mut bytes, *number));
        put_text(&mut bytes, b"");
        put_text(&mut bytes, "t\u{e9}".as_bytes());
        let mut read = Reader(&bytes);
        assert!(numbers.iter().all(|number| read.number() == *number));
        assert!(signed.iter().all(|number| read.signed() == *number));
        assert_eq!((read.text(), read.text(), read.0.len()), (&b""[..], "t\u{e9}".as_bytes(), 0));
        assert_eq!((read.number(), read.signed(), read.text()), (0, 0, &b""[..]), "nothing is left");
    }

    #[test]
    fn a_small_number_takes_a_byte() {
        for (value, length) in [(0, 1), (-64, 1), (63, 1), (64, 2), (i64::MIN, LONGEST)] {
            let mut bytes = Vec::new();
            put_signed(&mut bytes, value);
            assert_eq!(bytes.len(), length, "{value}");
        }
    }
}
