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

/// What endedTokens answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedTokens {
    /// Values of `falconer_grant`.
    pub ended: Vec<String>,
    /// Whether these are all.
    pub complete: bool,
    /// When it was so.
    pub at: String,
}

/// What requestGrant is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestGrantRequest {
    /// What the grant does not give; may be left out where more time is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The end that is wished for; as long as the grant still lasts, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Why, for the person.
    pub reason: String,
}

/// A request that waits for its person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedGrant {
    /// Of the request.
    pub request: String,
    /// Where the person answers it.
    pub page: String,
    /// For collectGrant: a secret.
    pub code: String,
    /// From then on it is worth nothing.
    pub expires: String,
    /// Seconds to wait between two calls of collectGrant.
    pub interval: i64,
}

/// What collectGrant is asked.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectGrantRequest {
    /// As requestGrant gave it.
    pub code: String,
}

/// How a request stands.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedGrant {
    /// `pending`, `slow-down`, `refused`, `expired`, `granted`.
    pub state: String,
    /// The other grant, where it was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// What that gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<GrantCredentials>,
}

/// Without the code.
impl fmt::Debug for RequestedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestedGrant").field("request", &self.request).finish_non_exhaustive()
    }
}

impl fmt::Debug for CollectGrantRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectGrantRequest").finish_non_exhaustive()
    }
}

/// Without the credentials.
impl fmt::Debug for CollectedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectedGrant").field("state", &self.state).field("grant", &self.grant).finish_non_exhaustive()
    }
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
