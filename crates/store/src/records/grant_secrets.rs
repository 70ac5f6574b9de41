//! Secrets that stand for a grant: what OAuth 2 hands to an application.

/// What a secret can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantSecretKind {
    /// An authorization code (RFC 6749 section 4.1.2), which is exchanged once.
    Code,
    /// An access token, which is shown as often as its owner likes.
    AccessToken,
    /// A refresh token, which is exchanged once.
    RefreshToken,
}

impl GrantSecretKind {
    /// The word that is stored: `code`, `access-token`, `refresh-token`.
    pub fn as_str(self) -> &'static str {
        match self {
            GrantSecretKind::Code => "code",
            GrantSecretKind::AccessToken => "access-token",
            GrantSecretKind::RefreshToken => "refresh-token",
        }
    }

    /// The kind of a stored word.
    pub fn of_word(word: &str) -> Option<GrantSecretKind> {
        [GrantSecretKind::Code, GrantSecretKind::AccessToken, GrantSecretKind::RefreshToken].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A secret of one application for one grant. What the secret gives ends with the grant, whatever stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantSecretRecord {
    /// A hash of the secret; the secret itself is stored nowhere.
    pub hash: String,
    /// What it is for.
    pub kind: GrantSecretKind,
    /// [`crate::GrantRecord::id`]
    pub grant: String,
    /// The id of the application that it was made for.
    pub application: String,
    /// The redirect URI of the request, as it was sent.
    pub redirect_uri: String,
    /// The `code_challenge` of the request (RFC 7636), of the method S256. `None`: the request had none.
    pub challenge: Option<String>,
    /// What it is bound to (RFC 8707), as it was requested; none: it is bound to nothing.
    pub resources: Vec<String>,
    /// The key that it is bound to (RFC 9449), as the thumbprint of RFC 7638: 43 characters; `*`: it is exchanged for what is bound to any. `None`: it is bound to none.
    pub jkt: Option<String>,
    /// From then on it is worth nothing, milliseconds since 1970.
    pub expires_ms: i64,
    /// When the record goes, milliseconds since 1970. A code that was used is known until then, so that a second use is noticed; a refresh token that was used goes earlier, as one that is not known was used.
    pub kept_until_ms: i64,
    /// When it was used, milliseconds since 1970. Set once; of a code or a refresh token.
    pub used_ms: Option<i64>,
}
