//! Audit histories.

use serde::{Deserialize, Serialize};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Who made it; of named temporary credentials the temporary name.
    pub client_id: String,
    /// `created`, `updated`, `deleted`, `client enabled`, `client disabled`, `access token reset`, `expired`.
    pub action_type: String,
    /// When.
    pub created: String,
    /// To what.
    pub entity_id: String,
    /// `client`, `role`, ...
    pub entity_type: String,
}

/// A page of changes, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditHistory {
    /// The changes.
    pub audit_history: Vec<AuditEntry>,
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
}
