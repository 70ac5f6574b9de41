//! The bytes below LDAP (RFC 4511 section 5.1): tag, length, content, in the definite form only.

use zeroize::Zeroizing;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// A tag and the longest length that is read.
pub(crate) const LONGEST_HEADER: usize = 6;

/// Content behind its tag and its length. The memory is made in one piece, because a password may be inside.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + LONGEST_HEADER));
    bytes.push(tag);
    let be = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    if let (true, Ok(short)) = (length < 0x80, u8::try_from(length)) {
        bytes.push(short);
    } else {
        bytes.push(0x84);
        bytes.extend_from_slice(&be);
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A number; two's complement in as few bytes as it takes.
pub(crate) fn number(tag: u8, value: i32) -> Zeroizing<Vec<u8>> {
    let bytes = value.to_be_bytes();
    let mut rest: &[u8] = &bytes;
    while let [first, second, ..] = rest
        && ((*first == 0 && *second < 0x80) || (*first == 0xff && *second >= 0x80))
    {
        rest = rest.get(1..).unwrap_or_default();
    }
    element(tag, &[rest])
}

/// The first bytes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// Bytes of the header itself.
    pub(crate) bytes: usize,
    /// Bytes of content behind it.
    pub(crate) length: usize,
}

impl Header {
    /// `None`: more bytes are needed to tell.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Header>, &'static str> {
        let (Some(&tag), Some(&first)) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
        if tag & 0x1f == 0x1f {
            return Err("a tag is longer than any of LDAP");
        }
        if first < 0x80 {
            return Ok(Some(Header { tag, bytes: 2, length: usize::from(first) }));
        }
        let count = usize::from(first & 0x7f);
        if count == 0 {
            return Err("a length is indefinite");
        }
        if count > 4 {
            return Err("a length is longer than any of LDAP");
        }
        let Some(digits) = bytes.get(2..2 + count) else { return Ok(None) };
        let length = digits.iter().fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
        Ok(Some(Header { tag, bytes: 2 + count, length }))
    }
}

/// Elements one behind the other.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a>(pub(crate) &'a [u8]);

impl<'a> Elements<'a> {
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next one.
    pub(crate) fn tag(self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next one: its tag and its content.
    pub(crate) fn any(&mut self) -> Result<(u8, &'a [u8]), &'static str> {
        let header = Header::read(self.0)?.ok_or("an element is cut off")?;
        let end = header.bytes.checked_add(header.length).ok_or("an element is too long")?;
        let content = self.0.get(header.bytes..end).ok_or("an element is longer than what it is in")?;
        self.0 = self.0.get(end..).unwrap_or_default();
        Ok((header.tag, content))
    }

    /// The content of the next one, which has to have this tag.
    pub(crate) fn expect(&mut self, tag: u8, missing: &'static str) -> Result<&'a [u8], &'static str> {
        match self.any()? {
            (found, content) if found == tag => Ok(content),
            _ => Err(missing),
        }
    }

    /// The next one, a text.
    pub(crate) fn text(&mut self, wrong: &'static str) -> Result<&'a str, &'static str> {
        std::str::from_utf8(self.expect(OCTETS, wrong)?).map_err(|_| wrong)
    }

    /// The next one, a number of this tag.
    pub(crate) fn number(&mut self, tag: u8, wrong: &'static str) -> Result<i32, &'static str> {
        let content = self.expect(tag, wrong)?;
        let (Some(first), true) = (content.first(), content.len() <= 4) else { return Err(wrong) };
        let sign = if *first >= 0x80 { -1 } else { 0 };
        Ok(content.iter().fold(sign, |value: i32, byte| (value << 8) | i32::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_there_and_back() {
        for value in [0, 1, 127, 128, 255, 256, 32_767, 32_768, i32::MAX, -1, -128, -129, i32::MIN] {
            let bytes = number(INTEGER, value);
            assert_eq!(Elements(&bytes).number(INTEGER, "x"), Ok(value), "{value} {bytes:?}");
        }
        assert_eq!(*number(INTEGER, 127), [2, 1, 127]);
        assert_eq!(*number(INTEGER, 128), [2, 2, 0, 128]);
        assert!(Elements(&[2, 0]).number(INTEGER, "x").is_err() && Elements(&[2, 5, 0, 0, 0, 0, 1]).number(INTEGER, "x").is_err());
    }

    #[test]
    fn lengths() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let bytes = element(OCTETS, &[&content]);
            let mut elements = Elements(&bytes);
            assert_eq!(elements.expect(OCTETS, "x"), Ok(content.as_slice()));
            assert!(elements.is_empty());
            assert!(Elements(&bytes[..bytes.len() - 1]).any().is_err());
        }
        assert_eq!(Header::read(&[0x30]), Ok(None));
        assert_eq!(Header::read(&[0x30, 0x82, 1]), Ok(None));
        for wrong in [&[0x30, 0x80][..], &[0x30, 0x85, 0, 0, 0, 0, 1], &[0x1f, 0x01]] {
            assert!(Header::read(wrong).is_err(), "{wrong:?}");
        }
        // As long as can be said, and nothing behind it.
        assert!(Elements(&[4, 0x84, 0xff, 0xff, 0xff, 0xff, 1]).any().is_err());
    }
}
