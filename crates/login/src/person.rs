//! Who is signed in, as far as pages show it.

use falconer_store::IdentityRecord;

/// A person as their identity provider describes them. Says nothing about what they may do: ask [`falconer_auth::Auth::person_scopes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// `<provider>/<subject>`, such as `local/ann`.
    pub identity: String,
    /// The provider's configured name; `local` for local accounts.
    pub provider: String,
    /// The provider's immutable subject; the name of a local account.
    pub subject: String,
    /// For display only.
    pub display_name: String,
    /// If there is one.
    pub email: Option<String>,
    /// Whether an authoritative provider says that the address is the person's.
    pub email_verified: bool,
    /// As the provider says.
    pub groups: Vec<String>,
}

impl From<&IdentityRecord> for Person {
    fn from(record: &IdentityRecord) -> Self {
        Person {
            identity: record.identity.clone(),
            provider: record.provider.clone(),
            subject: record.subject.clone(),
            display_name: record.display_name.clone(),
            email: record.email.clone(),
            email_verified: record.email_verified,
            groups: record.groups.clone(),
        }
    }
}
