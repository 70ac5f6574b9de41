//! Scope sets.

use serde::{Deserialize, Serialize};

/// Input and output of expandScopes, output of currentScopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes {
    /// The scopes.
    pub scopes: Vec<String>,
}
