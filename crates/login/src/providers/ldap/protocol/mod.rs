//! The part of LDAP (RFC 4511) that is spoken here, as bytes: what is asked, what is answered, filters and names. Nothing in this room reads or writes a
//! socket, and nothing calls itself: whatever a server sends, it takes a loop over bytes that are there.

mod answer;
mod ber;
mod dn;
mod filter;
mod filter_text;
mod request;

pub(crate) use answer::{Answer, Entry, Outcome, code};
pub(crate) use ber::{Header, LONGEST_HEADER};
pub(crate) use dn::Dn;
pub(crate) use filter::{FilterTemplate, and, equal, or, present};
pub use filter_text::FilterError;
pub(crate) use filter_text::is_name;
pub(crate) use request::{Page, Search, SearchScope, bind, search, start_tls};

/// Reads what a server sends, for those who try it with made-up bytes: a whole message, and the names in its entry.
pub fn read_answer(bytes: &[u8]) -> Result<(), &'static str> {
    let body = match Header::read(bytes)? {
        Some(header) => bytes.get(header.bytes..).unwrap_or_default(),
        None => return Err("it is cut off"),
    };
    if let (_, Answer::Entry(entry)) = Answer::read(body)? {
        let _ = Dn::parse(&entry.dn);
    }
    Ok(())
}

/// Reads a filter as an operator writes it, for those who try it with made-up text.
pub fn read_filter(text: &str) -> Result<(), FilterError> {
    FilterTemplate::parse(text, &["name"]).map(|_| ())
}
