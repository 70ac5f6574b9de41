//! Grants, for whoever has one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What deriveGrant is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeriveGrantRequest {
    /// What of the grant.
    pub scopes: Vec<String>,
    /// The end; an hour from now, or when the grant ends, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// A derived grant with its credentials: the only place where they are shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DerivedGrant {
    /// Of the derived grant.
    pub grant: String,
    /// What it was derived from.
    pub parent: String,
    /// What it gives, as far as the grant does.
    pub scopes: Vec<String>,
    /// The end.
    pub expires: String,
    /// What signs.
    pub credentials: GrantCredentials,
}

/// Temporary credentials of a grant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantCredentials {
    /// For display and logs only.
    pub client_id: String,
    /// The key that signs.
    pub access_token: String,
    /// JSON text that belongs to both.
    pub certificate: String,
}

/// Without the credentials.
impl fmt::Debug for DerivedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedGrant").field("grant", &self.grant).field("parent", &self.parent).finish_non_exhaustive()
    }
}

impl fmt::Debug for GrantCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantCredentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
