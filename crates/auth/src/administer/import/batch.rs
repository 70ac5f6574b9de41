//! A batch of roles and clients as they shall be, and what became of it.

use falconer_store::Secret;

use crate::error::ApiError;
use crate::view::RoleInput;

/// Roles and clients as they shall be. A record that is in none of the lists is left alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// No two with one id. They are validated together, so they may refer to each other in any order.
    pub roles: Vec<BatchRole>,
    /// No two with one id.
    pub clients: Vec<BatchClient>,
}

/// A role as it shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRole {
    /// The id.
    pub role_id: String,
    /// The whole of it.
    pub input: RoleInput,
}

/// A client as it shall be.
#[derive(Clone, PartialEq)]
pub struct BatchClient {
    /// The id.
    pub client_id: String,
    /// Microseconds since the epoch.
    pub expires_us: i64,
    /// At most 10240 code points.
    pub description: String,
    /// All of its scopes.
    pub scopes: Vec<String>,
    /// Whether it is deleted once it has expired.
    pub delete_on_expiration: bool,
    /// `None`: a new client is enabled, and one that is there stays as it is.
    pub disabled: Option<bool>,
    /// The access token that it shall have (the caller has seen to `^[a-zA-Z0-9_-]{22,66}$`). `None`: a new client gets one, and one that is
    /// there keeps its own.
    pub access_token: Option<Secret>,
}

impl std::fmt::Debug for BatchClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchClient").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there.
    Created,
    /// It was there and differed.
    Updated,
    /// It was there just so.
    Unchanged,
}

/// What became of a batch, record by record in its order.
#[derive(Clone, Default)]
pub struct BatchReport {
    /// One for each role.
    pub roles: Vec<Outcome>,
    /// One for each client, with the access token where it was made for it: now, or less than 15 minutes ago for a batch whose answer was lost
    /// (under the conditions under which createClient repeats its answer, and by the same caller).
    pub clients: Vec<(Outcome, Option<Secret>)>,
}

/// A record of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRecord {
    /// `roles` or `clients`.
    pub list: &'static str,
    /// Its place in that list, from 0.
    pub index: usize,
    /// Its id.
    pub id: String,
}

/// `clients[3] "project/robot"`
impl std::fmt::Display for BatchRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}] {:?}", self.list, self.index, self.id)
    }
}

/// Why nothing of a batch was done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct BatchError {
    /// The record that is at fault, where it is one.
    pub record: Option<BatchRecord>,
    /// What is wrong.
    pub error: ApiError,
}
