//! Text that must not leak.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

/// Secret text, such as an access token: wiped from memory when dropped, no content in `Debug`, no `Display`, no `Serialize`, compared in
/// constant time (the length is not hidden).
#[derive(Clone)]
pub struct Secret(String);

/// What a token begins with that stands in the place of one that does not open. None that was given out has a NUL.
const OF_NOBODY: &str = "\0nobody ";

impl Secret {
    /// One that stands in the place of one that does not open: this text, which nobody knows, marked as such.
    pub(crate) fn of_nobody(text: &str) -> Secret {
        Secret(format!("{OF_NOBODY}{text}"))
    }

    /// Whether it stands in the place of one that does not open, which is neither known nor missing. Where a record is written that has it, what is stored stays: another
    /// node may have the key. It opens nothing, is shown to nobody, and nobody is told that there was nothing.
    pub fn is_of_nobody(&self) -> bool {
        self.0.starts_with(OF_NOBODY)
    }

    /// Whether this is the same text as the other. `None`: one of them did not open here, so that this node can't tell, whatever another one may know.
    pub fn same_as(&self, other: &Secret) -> Option<bool> {
        (!self.is_of_nobody() && !other.is_of_nobody()).then(|| self == other)
    }

    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself. Every use of it deserves a second look.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_content() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }

    #[test]
    fn equality_is_that_of_the_text() {
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_ne!(Secret::new("a"), Secret::new("b"));
        assert_ne!(Secret::new("a"), Secret::new("aa"));
    }

    #[test]
    fn what_did_not_open_is_neither_the_same_nor_another() {
        assert_eq!(Secret::new("a").same_as(&Secret::new("a")), Some(true));
        assert_eq!(Secret::new("a").same_as(&Secret::new("b")), Some(false));
        assert_eq!(Secret::of_nobody("a").same_as(&Secret::new("a")), None);
        assert_eq!(Secret::new("a").same_as(&Secret::of_nobody("a")), None);
    }
}
