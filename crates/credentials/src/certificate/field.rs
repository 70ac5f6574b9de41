//! What the reader of the document and those who ask it have in common.

/// A field of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Version,
    Seed,
    Start,
    Expiry,
    Scopes,
    Issuer,
    Signature,
}

/// Why something is no list of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotScopes {
    /// It is no array.
    NoArray,
    /// Something in it is no valid scope.
    NotAll,
}
