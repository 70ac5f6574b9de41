//! What is kept about people: who they are, the identities that are linked with each, local accounts, sessions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// A person: whoever acts with the scopes of all identities that are linked with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// 128 random bits as 32 hexadecimal digits in lower case. Never changes, and means nothing.
    pub id: String,
    /// The linked identity that new clients and grants are named by, as the person chose.
    pub name: String,
    /// The person may not act, whichever identity is asked for.
    pub disabled: bool,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// How many identities of a provider are there, and by what its people are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPeople {
    /// The provider's name.
    pub provider: String,
    /// What [`Store::note_known_by`](crate::Store::note_known_by) has kept; `None`: they were stored before anything was.
    pub known_by: Option<String>,
    /// Identities, those that are gone too.
    pub identities: u64,
}

impl PersonRecord {
    /// An id of random bytes.
    pub fn id_from_random(bytes: [u8; 16]) -> String {
        format!("{:032x}", u128::from_be_bytes(bytes))
    }

    /// The person that an identity makes which is linked with no other one.
    pub fn of_one(identity: &IdentityRecord, at_ms: i64) -> PersonRecord {
        PersonRecord {
            id: identity.person.clone(),
            name: identity.identity.clone(),
            disabled: false,
            created_ms: at_ms,
            last_modified_ms: at_ms,
        }
    }
}

/// A way in: who somebody is to one identity provider. It belongs to exactly one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRecord {
    /// `<provider>/<subject>`, such as `local/ann`.
    pub identity: String,
    /// [`PersonRecord::id`]. Only linking and unlinking change it.
    pub person: String,
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
    /// What the person calls themself there; may change hands.
    pub username: Option<String>,
    /// As the provider says.
    pub groups: Vec<String>,
    /// What provider and configuration give the person, not expanded by roles.
    pub scopes: Vec<String>,
    /// What other directories add, which sign nobody in.
    pub additions: Vec<Addition>,
    /// When the provider was last asked, milliseconds since 1970.
    pub refreshed_ms: i64,
    /// Gives nothing, and nobody signs in by it.
    pub disabled: bool,
    /// It is disabled because the provider said that there is nobody like that any more, and not by somebody here. The next sign-in undoes it.
    pub gone: bool,
}

impl IdentityRecord {
    /// The lists of scopes of the provider and of all directories. Says nothing about their age.
    pub fn all_scopes(&self) -> impl Iterator<Item = &[String]> {
        std::iter::once(self.scopes.as_slice()).chain(self.additions.iter().map(|addition| addition.scopes.as_slice()))
    }

    /// The same of groups, each as it is named there.
    pub fn all_groups(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().chain(self.additions.iter().flat_map(|addition| &addition.groups))
    }
}

/// What a directory that only authorizes adds to an identity of another provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addition {
    /// The directory's configured name.
    pub provider: String,
    /// As it says.
    pub groups: Vec<String>,
    /// What it gives, not expanded by roles.
    pub scopes: Vec<String>,
    /// When it was last asked, milliseconds since 1970.
    pub refreshed_ms: i64,
}

/// Somebody whom a provider is asked about again, without them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshRecord {
    /// [`IdentityRecord::identity`]
    pub identity: String,
    /// What the provider wants to see, such as a refresh token. Sealed at rest.
    pub handle: Option<Secret>,
    /// When, milliseconds since 1970.
    pub due_ms: i64,
}

/// A local account. Its identity is `local/<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// The unique name, never reused.
    pub name: String,
    /// For people.
    pub display_name: String,
    /// As the administrator or the person entered it.
    pub email: Option<String>,
    /// What whoever wrote the address could do then: a link that is mailed there is worth no more. `None`: they stood on the server's machine.
    pub email_within: Option<Vec<String>>,
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

/// How somebody proved to be who they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInMethod {
    /// The password of a local account.
    Password,
    /// The link that makes the first administrator.
    SetupLink,
    /// An identity provider said so.
    Provider,
    /// A passkey of a local account, whose authenticator made sure who it was.
    Passkey,
    /// A recovery code of a local account.
    RecoveryCode,
}

impl SignInMethod {
    /// All of them.
    pub const ALL: [SignInMethod; 5] =
        [SignInMethod::Password, SignInMethod::SetupLink, SignInMethod::Provider, SignInMethod::Passkey, SignInMethod::RecoveryCode];

    /// The word that is stored: `password`, `setup_link`, `provider`, `passkey`, `recovery_code`.
    pub fn as_str(self) -> &'static str {
        match self {
            SignInMethod::Password => "password",
            SignInMethod::SetupLink => "setup_link",
            SignInMethod::Provider => "provider",
            SignInMethod::Passkey => "passkey",
            SignInMethod::RecoveryCode => "recovery_code",
        }
    }

    /// The method of a stored word.
    pub fn of_word(word: &str) -> Option<SignInMethod> {
        SignInMethod::ALL.into_iter().find(|method| method.as_str() == word)
    }
}

/// Another identity that was proven in a session, and is linked with the session's person once that is confirmed. A session has at most one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLink {
    /// [`SessionRecord::id_hash`]
    pub session: String,
    /// The other identity.
    pub identity: String,
    /// From then on it can't be confirmed; milliseconds since 1970.
    pub expires_ms: i64,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountLinkKind {
    /// The first password of an account that was made for somebody.
    Invitation,
    /// Another password for somebody who has forgotten theirs.
    Reset,
}

impl AccountLinkKind {
    /// The word that is stored: `invitation`, `reset`.
    pub fn as_str(self) -> &'static str {
        match self {
            AccountLinkKind::Invitation => "invitation",
            AccountLinkKind::Reset => "reset",
        }
    }

    /// The kind of a stored word.
    pub fn of_word(word: &str) -> Option<AccountLinkKind> {
        [AccountLinkKind::Invitation, AccountLinkKind::Reset].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A link with which whoever has it sets the password of a local account, once. An account has at most one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLink {
    /// A hash of the link's token: the token itself is nowhere.
    pub hash: String,
    /// [`AccountRecord::name`]
    pub account: String,
    /// What it is for.
    pub kind: AccountLinkKind,
    /// Who made it: a clientId or an identity.
    pub by: String,
    /// What whoever made it could do then, normalized: the link gives nobody more. `None`: it was made on the server's machine, and has no such bound.
    pub within: Option<Vec<String>>,
    /// A fingerprint of the password at that time, so that a new one ends the link.
    pub password: String,
    /// When, milliseconds since 1970.
    pub created_ms: i64,
    /// From then on it is worth nothing; milliseconds since 1970.
    pub expires_ms: i64,
    /// Whether it was made to be mailed. What became of the mail only the process knows that sent it.
    pub mailed: bool,
}

/// A signed-in browser.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// A hash of the cookie's value: the value itself is nowhere.
    pub id_hash: String,
    /// By which identity somebody signed in; who acts is the person that it belongs to.
    pub identity: String,
    /// How.
    pub method: SignInMethod,
    /// How strongly: how many things of different kinds were proven, such as 1 for a password alone.
    pub factors: u32,
    /// The token that the session's forms carry. Sealed at rest.
    pub csrf: String,
    /// When, milliseconds since 1970.
    pub created_ms: i64,
    /// When somebody proved last to be there, milliseconds since 1970: earlier than the sign-in where a provider let them in without asking; 0 where nobody
    /// knows.
    pub proved_ms: i64,
    /// Milliseconds since 1970.
    pub last_seen_ms: i64,
    /// The end at the latest, milliseconds since 1970.
    pub expires_ms: i64,
    /// What the browser called itself when it signed in, for the person's list.
    pub user_agent: String,
    /// The address from which it signed in, for the person's list; empty where it is not known.
    pub address: String,
}

// By hand, because what is sealed at rest must not come out of a log either.
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
    fn each_way_of_signing_in_is_read_back() {
        for method in SignInMethod::ALL {
            assert_eq!(SignInMethod::of_word(method.as_str()), Some(method));
        }
        assert_eq!(SignInMethod::of_word("anything"), None);
    }

    #[test]
    fn each_kind_of_link_is_read_back() {
        for kind in [AccountLinkKind::Invitation, AccountLinkKind::Reset] {
            assert_eq!(AccountLinkKind::of_word(kind.as_str()), Some(kind));
        }
        assert_eq!(AccountLinkKind::of_word("anything"), None);
    }

    #[test]
    fn debug_shows_nothing_that_is_sealed() {
        let session = SessionRecord {
            id_hash: "hash".into(),
            identity: "local/ann".into(),
            method: SignInMethod::Password,
            factors: 1,
            csrf: "canary".into(),
            created_ms: 1,
            proved_ms: 1,
            last_seen_ms: 1,
            expires_ms: 2,
            user_agent: String::new(),
            address: String::new(),
        };
        let shown = format!("{session:?}");
        assert!(shown.contains("\"local/ann\"") && !shown.contains("canary"), "{shown}");
    }
}
