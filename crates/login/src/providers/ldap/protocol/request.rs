//! What is asked.

use zeroize::Zeroizing;

use super::ber::{BOOLEAN, ENUMERATED, INTEGER, OCTETS, SEQUENCE, element, number};

/// RFC 2696.
pub(super) const PAGED: &str = "1.2.840.113556.1.4.319";
/// RFC 4511 section 4.14.
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

/// Below which part of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchScope {
    /// This entry alone.
    Base,
    /// This entry and everything below it.
    Subtree,
}

/// A question for entries.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) base: &'a str,
    pub(crate) scope: SearchScope,
    /// Encoded.
    pub(crate) filter: &'a [u8],
    /// Those that are read; without any, all of them.
    pub(crate) attributes: &'a [&'a str],
    /// The most entries; 0: as many as there are.
    pub(crate) size_limit: i32,
    /// Seconds.
    pub(crate) time_limit: i32,
}

/// A part of the answer.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a> {
    /// Entries.
    pub(crate) size: i32,
    /// What the server gave with the page before; empty for the first.
    pub(crate) cookie: &'a [u8],
}

/// A name and a password (RFC 4511 section 4.2).
pub(crate) fn bind(id: i32, dn: &str, password: &[u8]) -> Zeroizing<Vec<u8>> {
    let version = number(INTEGER, 3);
    let name = element(OCTETS, &[dn.as_bytes()]);
    let simple = element(0x80, &[password]);
    message(id, &element(0x60, &[&version, &name, &simple]), None)
}

/// Asks for TLS on a connection that has none yet.
pub(crate) fn start_tls(id: i32) -> Zeroizing<Vec<u8>> {
    message(id, &element(0x77, &[&element(0x80, &[START_TLS.as_bytes()])]), None)
}

/// RFC 4511 section 4.5.1. Aliases are not followed: an entry is what its own name says.
pub(crate) fn search(id: i32, search: &Search<'_>, page: Option<Page<'_>>) -> Zeroizing<Vec<u8>> {
    let scope = match search.scope {
        SearchScope::Base => 0,
        SearchScope::Subtree => 2,
    };
    let attributes: Vec<_> = search.attributes.iter().map(|name| element(OCTETS, &[name.as_bytes()])).collect();
    let attributes: Vec<&[u8]> = attributes.iter().map(|name| name.as_slice()).collect();
    let operation = element(
        0x63,
        &[
            &element(OCTETS, &[search.base.as_bytes()]),
            &number(ENUMERATED, scope),
            &number(ENUMERATED, 0),
            &number(INTEGER, search.size_limit),
            &number(INTEGER, search.time_limit),
            &element(BOOLEAN, &[&[0]]),
            search.filter,
            &element(SEQUENCE, &attributes),
        ],
    );
    let control = page.map(|page| {
        let value = element(SEQUENCE, &[&number(INTEGER, page.size), &element(OCTETS, &[page.cookie])]);
        // Not critical: a server without pages gives all of it, or says that it was too much.
        element(SEQUENCE, &[&element(OCTETS, &[PAGED.as_bytes()]), &element(OCTETS, &[&value])])
    });
    message(id, &operation, control.as_ref().map(|control| control.as_slice()))
}

fn message(id: i32, operation: &[u8], control: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let id = number(INTEGER, id);
    match control {
        Some(control) => element(SEQUENCE, &[&id, operation, &element(0xa0, &[control])]),
        None => element(SEQUENCE, &[&id, operation]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As RFC 4511 has it, byte for byte.
    #[test]
    fn a_bind() {
        let expected =
            [&[0x30, 0x0f, 0x02, 0x01, 0x05][..], &[0x60, 0x0a, 0x02, 0x01, 0x03], &[0x04, 0x02, b'a', b'b'], &[0x80, 0x01, b'p']].concat();
        assert_eq!(*bind(5, "ab", b"p"), expected);
    }
}
