//! Rows whose sealed value does not open.

use std::fmt;

use crate::{Place, Result, StoreError};

/// The kinds of records that have a sealed column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedKind {
    /// A client's access token.
    Client,
    /// The one before it, which still counts.
    OldToken,
    /// An issuer's token.
    Issuer,
    /// The hash of a local account's password.
    Account,
    /// The hash of a recovery code of a local account.
    RecoveryCode,
    /// The form token of a browser's session.
    Session,
    /// What a provider wants to see when it is asked about an identity again.
    Refresh,
}

impl SealedKind {
    /// `client`, `old access token`, `issuer`, `account`, `recovery code`, `session` or `refresh`.
    pub fn as_str(self) -> &'static str {
        match self {
            SealedKind::Client => "client",
            SealedKind::OldToken => "old access token",
            SealedKind::Issuer => "issuer",
            SealedKind::Account => "account",
            SealedKind::RecoveryCode => "recovery code",
            SealedKind::Session => "session",
            SealedKind::Refresh => "refresh",
        }
    }

    /// Where the value of the row `id` was sealed. Passwords once were a column of `accounts`; they moved as they were, sealed for that place.
    pub fn place(self, id: &str) -> Place<'_> {
        let (table, column) = match self {
            SealedKind::Client => ("clients", "access_token"),
            SealedKind::OldToken => ("clients", "old_access_token"),
            SealedKind::Issuer => ("issuers", "token"),
            SealedKind::Account => ("accounts", "password_hash"),
            SealedKind::RecoveryCode => ("recovery_codes", "hash"),
            SealedKind::Session => ("sessions", "csrf"),
            SealedKind::Refresh => ("refreshes", "handle"),
        };
        Place { table, column, row: id }
    }

    /// Table and column where the values are now.
    pub fn stored_in(self) -> (&'static str, &'static str) {
        match self {
            SealedKind::Account => ("passwords", "hash"),
            other => {
                let Place { table, column, .. } = other.place("");
                (table, column)
            }
        }
    }
}

/// A row whose sealed value does not open. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// What kind of record it is.
    pub kind: SealedKind,
    /// Its clientId, its name, the id of the code, the hash of the session's id, or the identity.
    pub id: String,
    /// Why its value does not open, for people.
    pub why: String,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, column) = self.kind.stored_in();
        write!(f, "{table}.{column} of {:?}: {}", self.id, self.why)
    }
}

/// Some damaged rows are left out; where not one of all values opens, the key file is the wrong one. Error: Corrupt.
pub fn refuse_if_nothing_opens(values: usize, damaged: &[Damaged]) -> Result<()> {
    match damaged.first() {
        Some(first) if damaged.len() >= values => {
            Err(StoreError::Corrupt(format!("none of the {values} sealed values opens with this key file; the first is {first}")))
        }
        _ => Ok(()),
    }
}
