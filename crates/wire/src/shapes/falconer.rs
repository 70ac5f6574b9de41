//! What travels over Falconer's own API.

use serde::{Deserialize, Serialize};

/// Answer of `revision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRevision {
    /// The newest change that the node has seen.
    pub revision: i64,
}
