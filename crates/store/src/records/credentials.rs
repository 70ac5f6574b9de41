//! What people sign in to local accounts with: apart from the account, and from the person.

use std::fmt;

/// All that somebody can sign in to one local account with.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CredentialsRecord {
    /// [`AccountRecord::name`](crate::AccountRecord::name)
    pub account: String,
    /// An argon2id string in PHC form, or nothing when the account has no password. Sealed at rest.
    pub password_hash: Option<String>,
    /// Oldest first.
    pub passkeys: Vec<PasskeyRecord>,
    /// In the order in which they were shown, used ones too.
    pub recovery_codes: Vec<RecoveryCodeRecord>,
}

/// A passkey: the public half of a pair of keys that an authenticator of the person holds (Web Authentication, section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRecord {
    /// The credential's id as the authenticator chose it, in base64url. Nobody else has the same.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// A COSE_Key (RFC 9052, section 7), as the authenticator gave it.
    pub public_key: Vec<u8>,
    /// How often the authenticator says that it has signed; 0 where it does not count.
    pub counter: u32,
    /// How browsers reach the authenticator, such as `internal`.
    pub transports: Vec<String>,
    /// The model of the authenticator as 32 hexadecimal digits; zeros where it is not told.
    pub aaguid: String,
    /// Whether the authenticator finds it without being given its id.
    pub resident: bool,
    /// What the person calls it.
    pub label: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_used_ms: Option<i64>,
    /// What authenticators call its owner, in base64url (Web Authentication, section 5.4.3). `None`: a hash of the account's name, as earlier versions had it.
    pub user_handle: Option<String>,
}

/// A code with which somebody signs in once, when nothing else is at hand.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCodeRecord {
    /// `<account>/<number>`
    pub id: String,
    /// A hash of the code. Sealed at rest.
    pub hash: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub used_ms: Option<i64>,
}

impl RecoveryCodeRecord {
    /// The account that an id belongs to.
    pub fn account_of(id: &str) -> &str {
        id.split('/').next().unwrap_or(id)
    }
}

/// How many of each an account has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialsCount {
    /// [`AccountRecord::name`](crate::AccountRecord::name)
    pub account: String,
    /// Whether there is one, and it opens.
    pub has_password: bool,
    /// Passkeys.
    pub passkeys: u32,
    /// Recovery codes that are not used.
    pub recovery_codes: u32,
}

/// What a step does to the credentials of one account.
#[derive(Clone, PartialEq, Eq)]
pub enum CredentialsChange {
    /// From now on this is the hash of the password; `None`: there is none. Conflict where `instead_of` is given and is not the present hash.
    SetPassword {
        /// The new one.
        hash: Option<String>,
        /// The one that was proven.
        instead_of: Option<String>,
    },
    /// Adds a passkey of the account. Conflict where its id is taken, whoever has it.
    AddPasskey(PasskeyRecord),
    /// Conflict where the account has none of this id.
    RenamePasskey {
        /// Which.
        id: String,
        /// What the person calls it from now on.
        label: String,
    },
    /// Conflict where the account has none of this id, and with `keep_a_way_in` where it would have neither a password nor a passkey afterwards.
    RemovePasskey {
        /// Which.
        id: String,
        /// Whether the account has to be left with something to sign in with.
        keep_a_way_in: bool,
    },
    /// From now on these codes and no others.
    ReplaceRecoveryCodes(Vec<RecoveryCodeRecord>),
    /// Uses a code up, at [`Step::at_ms`](crate::Step::at_ms). Conflict where the account has none of this id, or it was used.
    UseRecoveryCode(String),
    /// Takes a code away, used or not. Conflict where the account has none of this id.
    RemoveRecoveryCode(String),
}

// By hand, because what is sealed at rest must not come out of a log either.
impl fmt::Debug for CredentialsRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsRecord")
            .field("account", &self.account)
            .field("passkeys", &self.passkeys)
            .field("recovery_codes", &self.recovery_codes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RecoveryCodeRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryCodeRecord").field("id", &self.id).field("used_ms", &self.used_ms).finish_non_exhaustive()
    }
}

impl fmt::Debug for CredentialsChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, id) = match self {
            CredentialsChange::SetPassword { .. } => ("SetPassword", None),
            CredentialsChange::AddPasskey(passkey) => ("AddPasskey", Some(&passkey.id)),
            CredentialsChange::RenamePasskey { id, .. } => ("RenamePasskey", Some(id)),
            CredentialsChange::RemovePasskey { id, .. } => ("RemovePasskey", Some(id)),
            CredentialsChange::ReplaceRecoveryCodes(_) => ("ReplaceRecoveryCodes", None),
            CredentialsChange::UseRecoveryCode(id) => ("UseRecoveryCode", Some(id)),
            CredentialsChange::RemoveRecoveryCode(id) => ("RemoveRecoveryCode", Some(id)),
        };
        f.debug_tuple(name).field(&id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_that_is_sealed() {
        let code = RecoveryCodeRecord { id: "ann/0".into(), hash: "canary".into(), created_ms: 1, used_ms: None };
        let record = CredentialsRecord {
            account: "ann".into(),
            password_hash: Some("$argon2id$canary".into()),
            passkeys: Vec::new(),
            recovery_codes: vec![code.clone()],
        };
        let set = CredentialsChange::SetPassword { hash: Some("canary".into()), instead_of: Some("canary".into()) };
        let shown = format!("{record:?} {set:?} {:?}", CredentialsChange::ReplaceRecoveryCodes(vec![code]));
        assert!(shown.contains("\"ann\"") && !shown.contains("canary"), "{shown}");
        assert_eq!(RecoveryCodeRecord::account_of("ann/0"), "ann");
    }
}
