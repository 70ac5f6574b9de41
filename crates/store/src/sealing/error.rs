//! What can be wrong with a key file.

use thiserror::Error;

/// What is wrong with a key file. Lines count from 1; no key is shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyFileError {
    /// Not `<key id> <base64 of 32 bytes>`.
    #[error("line {0} of the key file is not `<key id> <base64 of 32 bytes>`")]
    BadLine(usize),
    /// A key id is 1 to 32 of `A-Z a-z 0-9 - _`.
    #[error("a key id is 1 to 32 letters, digits, `-` or `_`")]
    BadKeyId,
    /// Two keys of one id.
    #[error("the key id {0:?} is there twice")]
    RepeatedKeyId(String),
    /// A line whose key id is none.
    #[error("line {0} of the key file: a key id is 1 to 32 letters, digits, `-` or `_`")]
    BadKeyIdInLine(usize),
    /// A line with the key id of an earlier one.
    #[error("line {0} of the key file has the key id of an earlier line")]
    RepeatedInLine(usize),
    /// No key at all.
    #[error("the key file has no key")]
    Empty,
}
