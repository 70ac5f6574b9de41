//! Continuation tokens of paged listings (all cases of `vectors/continuation-tokens.json`).
//!
//! A token of ours is a tilde and the last id that was listed, in base64url: whatever comes and goes meanwhile, each entry that stays is listed exactly once. The
//! protocol's own tokens are Hashids of a row offset; they are still taken. Neither hides or protects anything: whoever decodes one learns what came
//! before.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harsh::Harsh;

/// Which listings a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// listClients, getEntityHistory, listAuditHistory: the number `offset`, salted, at least ten characters.
    ClientsAndAudit,
    /// listRoles2, listRoleIds: the numbers `(offset, 10)`, no salt.
    Roles,
}

/// Where a token leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind so many rows.
    Offset(u64),
    /// Behind an id.
    After(String),
}

/// Stands before an id, and in no Hashid.
const AFTER: char = '~';

/// The token for what follows an id, in every listing.
pub fn after(id: &str) -> String {
    format!("{AFTER}{}", URL_SAFE_NO_PAD.encode(id))
}

/// The token has a character outside letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the continuation token has characters outside letters and digits")]
pub struct OutsideAlphabet;

/// A token longer than this holds no offset that any listing could have given out, and stays clear of the library's 64-bit sums.
const LONGEST: usize = 12;

// The builders can only fail for alphabets with too few characters; both use the default one, so `None` never happens and would only mean "no token".
static CLIENTS: LazyLock<Option<Harsh>> = LazyLock::new(|| Harsh::builder().salt("salt").length(10).build().ok());
static ROLES: LazyLock<Option<Harsh>> = LazyLock::new(|| Harsh::builder().build().ok());

impl Scheme {
    fn hashids(self) -> Option<&'static Harsh> {
        match self {
            Scheme::ClientsAndAudit => CLIENTS.as_ref(),
            Scheme::Roles => ROLES.as_ref(),
        }
    }

    /// The token for the page that starts at row `offset`.
    pub fn encode(self, offset: u64) -> String {
        let numbers: &[u64] = match self {
            Scheme::ClientsAndAudit => &[offset],
            Scheme::Roles => &[offset, 10],
        };
        self.hashids().map(|h| h.encode(numbers)).unwrap_or_default()
    }

    /// Where a token leads; `None`: it decodes to nothing that anybody gave out.
    pub fn place(self, token: &str) -> Result<Option<Place>, OutsideAlphabet> {
        if let Some(id) = token.strip_prefix(AFTER) {
            let id = URL_SAFE_NO_PAD.decode(id).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            return id.map(|id| Some(Place::After(id))).ok_or(OutsideAlphabet);
        }
        Ok(self.offset(token)?.map(Place::Offset))
    }

    /// The numbers in a token. Empty: it decodes to nothing (a token that nobody gave out).
    pub fn numbers(self, token: &str) -> Result<Vec<u64>, OutsideAlphabet> {
        if !token.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(OutsideAlphabet);
        }
        if token.len() > LONGEST {
            return Ok(Vec::new());
        }
        Ok(self.hashids().and_then(|h| h.decode(token).ok()).unwrap_or_default())
    }

    /// The offset in a token; `None`: it decodes to nothing that this scheme gives out.
    pub fn offset(self, token: &str) -> Result<Option<u64>, OutsideAlphabet> {
        Ok(match (self, self.numbers(token)?.as_slice()) {
            (Scheme::ClientsAndAudit, [offset]) | (Scheme::Roles, [offset, 10]) => Some(*offset),
            _ => None,
        })
    }
}
