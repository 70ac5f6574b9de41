//! Scope sets, and what services say of their scopes.

use serde::{Deserialize, Serialize};

/// Input and output of expandScopes, output of currentScopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes {
    /// The scopes.
    pub scopes: Vec<String>,
}

/// What a service says of some of its scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeSentence {
    /// `notes:read:<book>`: what differs is written as a parameter.
    pub template: String,
    /// `Read what is in the book <book>`: a line of plain text.
    pub sentence: String,
    /// How much harm somebody can do with it: `ordinary` or `high`.
    #[serde(default = "ordinary")]
    pub risk: String,
}

fn ordinary() -> String {
    "ordinary".to_owned()
}

/// What a service has published about its scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeRegistry {
    /// What the scopes begin with.
    pub namespace: String,
    /// As it was published.
    pub scopes: Vec<ScopeSentence>,
    /// Who published it last: a clientId or an identity.
    pub published_by: String,
    /// When it was first published.
    pub created: String,
    /// When it was last changed.
    pub last_modified: String,
}

/// A registry in a list, without its sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeRegistrySummary {
    /// What the scopes begin with.
    pub namespace: String,
    /// How many sentences there are.
    pub scopes: u64,
    /// Who published it last: a clientId or an identity.
    pub published_by: String,
    /// When it was first published.
    pub created: String,
    /// When it was last changed.
    pub last_modified: String,
}

/// A page of listScopeRegistries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeRegistryList {
    /// In the order of their namespaces.
    pub scope_registries: Vec<ScopeRegistrySummary>,
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
}

/// What a service publishes about its scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutScopeRegistryRequest {
    /// All of it.
    pub scopes: Vec<ScopeSentence>,
}
