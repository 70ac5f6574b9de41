//! What an application is told of a person, for each grant that says so (OpenID Connect), and of the end of their sessions.

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
    /// [`SessionApplication::sid`] of the session in which it was granted. `None`: the application is told nothing of the session.
    pub sid: Option<String>,
    /// When the record goes, milliseconds since 1970.
    pub kept_until_ms: i64,
}

/// An application that knows of a session, and is told when that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionApplication {
    /// [`crate::SessionRecord::id_hash`]
    pub session: String,
    /// [`crate::ApplicationRecord::id`], or the address of its document.
    pub application: String,
    /// What this application calls the session: random, and no other application knows it.
    pub sid: String,
    /// The `sub` that it knows the person by.
    pub subject: String,
    /// Where it is told, as it was when the person granted it something.
    pub uri: String,
    /// When the session ends at the latest, milliseconds since 1970.
    pub kept_until_ms: i64,
}

/// The end of a session, of which an application has still to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutRecord {
    /// [`SessionApplication::sid`]
    pub sid: String,
    /// [`SessionApplication::application`]
    pub application: String,
    /// [`SessionApplication::subject`]
    pub subject: String,
    /// [`SessionApplication::uri`]
    pub uri: String,
    /// How often that came to nothing.
    pub tries: u32,
}
