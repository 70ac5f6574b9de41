//! What an application is told of a person, for each grant that says so (OpenID Connect).

/// As it was when the person granted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantIdentityRecord {
    /// [`crate::GrantRecord::id`]
    pub grant: String,
    /// The `sub` of OpenID Connect: [`crate::PersonRecord::id`].
    pub subject: String,
    /// `openid`, and what was granted beside it: `profile`, `email`, `groups`.
    pub scopes: Vec<String>,
    /// As the application sent it.
    pub nonce: Option<String>,
    /// When the person had proved to be there, milliseconds since 1970. `None`: nobody said.
    pub proved_ms: Option<i64>,
    /// How they had signed in: [`crate::SignInMethod::as_str`].
    pub method: String,
    /// How many things of different kinds they had proven.
    pub factors: i64,
    /// When the record goes, milliseconds since 1970.
    pub kept_until_ms: i64,
}
