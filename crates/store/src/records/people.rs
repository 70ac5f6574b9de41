//! What is kept about people: identities, local accounts, sessions.

use std::fmt;

/// A person as an identity provider describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRecord {
    /// `<provider>/<subject>`, such as `local/ann`.
    pub identity: String,
    /// The provider's configured name.
    pub provider: String,
    /// The provider's immutable id of the person.
    pub subject: String,
    /// For people.
    pub display_name: String,
    /// As the provider says.
    pub email: Option<String>,
    /// Whether an authoritative provider says that the address is the person's.
    pub email_verified: bool,
    /// As the provider says.
    pub groups: Vec<String>,
    /// What provider and configuration give the person, not expanded by roles.
    pub scopes: Vec<String>,
    /// When the provider was last asked, milliseconds since 1970.
    pub refreshed_ms: i64,
    /// The person may not act.
    pub disabled: bool,
}

/// A local account. Its identity is `local/<name>`.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// The unique name, never reused.
    pub name: String,
    /// For people.
    pub display_name: String,
    /// As the administrator or the person entered it.
    pub email: Option<String>,
    /// An argon2id string in PHC form, or nothing when the account can't sign in with a password. Sealed at rest.
    pub password_hash: Option<String>,
    /// Local groups: each gives `assume:local-group:<group>`.
    pub groups: Vec<String>,
    /// The account's own scopes.
    pub scopes: Vec<String>,
    /// May not sign in or act.
    pub disabled: bool,
    /// Gone, but the name stays taken.
    pub deleted: bool,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// A signed-in browser.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// A hash of the cookie's value: the value itself is nowhere.
    pub id_hash: String,
    /// Who is signed in.
    pub identity: String,
    /// The token that the session's forms carry. Sealed at rest.
    pub csrf: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_seen_ms: i64,
    /// The end at the latest, milliseconds since 1970.
    pub expires_ms: i64,
    /// What the browser called itself when it signed in, for the person's list.
    pub user_agent: String,
}

// By hand, because what is sealed at rest must not come out of a log either.
impl fmt::Debug for AccountRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountRecord")
            .field("name", &self.name)
            .field("groups", &self.groups)
            .field("scopes", &self.scopes)
            .field("disabled", &self.disabled)
            .field("deleted", &self.deleted)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("id_hash", &self.id_hash)
            .field("identity", &self.identity)
            .field("created_ms", &self.created_ms)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_that_is_sealed() {
        let account = AccountRecord {
            name: "ann".into(),
            display_name: "Ann".into(),
            email: None,
            password_hash: Some("$argon2id$canary".into()),
            groups: Vec::new(),
            scopes: Vec::new(),
            disabled: false,
            deleted: false,
            created_ms: 1,
            last_modified_ms: 1,
        };
        let session = SessionRecord {
            id_hash: "hash".into(),
            identity: "local/ann".into(),
            csrf: "canary".into(),
            created_ms: 1,
            last_seen_ms: 1,
            expires_ms: 2,
            user_agent: String::new(),
        };
        let shown = format!("{account:?} {session:?}");
        assert!(shown.contains("\"ann\"") && !shown.contains("canary"), "{shown}");
    }
}
