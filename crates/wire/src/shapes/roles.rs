//! Roles.

use serde::{Deserialize, Serialize};

/// What createRole and updateRole take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleRequest {
    /// The scopes that the role gives, without repetition.
    pub scopes: Vec<String>,
    /// At most 10240 code points.
    pub description: String,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Its id.
    pub role_id: String,
    /// In stored order.
    pub scopes: Vec<String>,
    /// What `assume:<roleId>` expands to, itself included.
    pub expanded_scopes: Vec<String>,
    /// What it is for, in Markdown.
    pub description: String,
    /// When it was changed last.
    pub last_modified: String,
    /// When it was made.
    pub created: String,
}

/// The answer of listRoles2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolePage {
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
    /// The roles.
    pub roles: Vec<Role>,
}

/// The answer of listRoleIds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleIdPage {
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
    /// The ids.
    pub role_ids: Vec<String>,
}
