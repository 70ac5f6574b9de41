//! Rows whose sealed value does not open.

use std::fmt;

use crate::{Place, Result, StoreError};

/// The kinds of records that have a sealed column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedKind {
    /// A client's access token.
    Client,
    /// An issuer's token.
    Issuer,
    /// The hash of a local account's password.
    Account,
    /// The form token of a browser's session.
    Session,
}

impl SealedKind {
    /// `client`, `issuer`, `account` or `session`.
    pub fn as_str(self) -> &'static str {
        match self {
            SealedKind::Client => "client",
            SealedKind::Issuer => "issuer",
            SealedKind::Account => "account",
            SealedKind::Session => "session",
        }
    }

    /// Where the value of the row `id` lives.
    pub fn place(self, id: &str) -> Place<'_> {
        let (table, column) = match self {
            SealedKind::Client => ("clients", "access_token"),
            SealedKind::Issuer => ("issuers", "token"),
            SealedKind::Account => ("accounts", "password_hash"),
            SealedKind::Session => ("sessions", "csrf"),
        };
        Place { table, column, row: id }
    }
}

/// A row whose sealed value does not open. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// What kind of record it is.
    pub kind: SealedKind,
    /// Its clientId, its name, or the hash of the session's id.
    pub id: String,
    /// Why its value does not open, for people.
    pub why: String,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { table, column, .. } = self.kind.place(&self.id);
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
