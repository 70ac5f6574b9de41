//! The part of LDAP (RFC 4511) that is spoken here, as bytes: what is asked, what is answered, filters and names. Nothing in this room reads or writes a
//! socket, and nothing calls itself: whatever a server sends, it takes a loop over bytes that are there.

mod answer;
mod ber;
mod dn;
mod filter;
mod filter_text;
mod request;
mod trial;

pub(crate) use answer::{Answer, Entry, Outcome, code};
pub(crate) use ber::{Header, LONGEST_HEADER};
pub(crate) use dn::Dn;
pub(crate) use filter::{FilterTemplate, and, equal, or, present};
pub use filter_text::FilterError;
pub(crate) use filter_text::is_name;
pub(crate) use request::{Page, Search, SearchScope, bind, search, start_tls};
pub use trial::{filter_shape, read_answer};
