//! Hawk itself: what stands in a header or a bewit, the text that a MAC covers, and the request before and after its MAC was found right. The
//! other direction, signing, is here too, and so are the payload hash, the two ways to write a
//! time, and the host and port that a request is signed for.

pub(crate) mod authentic;
pub mod authority;
pub(crate) mod bewit;
mod header;
mod normalized;
pub mod payload;
pub(crate) mod read;
pub mod sign;
pub mod timestamp;
pub(crate) mod unmatched;
