//! What services have published about their scopes.

use serde::{Deserialize, Serialize};

/// What a service says of its scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRegistryRecord {
    /// What the scopes begin with, such as `notes`.
    pub namespace: String,
    /// In the order in which they were published.
    pub scopes: Vec<ScopeSentence>,
    /// Who published it last: a clientId or an identity.
    pub published_by: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// A sentence about some scopes, as it is kept: `{"template":"notes:read:<book>","sentence":"Read <book>","risk":"ordinary"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeSentence {
    /// `notes:read:<book>`
    pub template: String,
    /// `Read what is in the book <book>`
    pub sentence: String,
    /// How much harm somebody can do with it.
    pub risk: Risk,
}

/// How much harm somebody can do with a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// No more than most.
    #[default]
    Ordinary,
    /// Treated as what is broad: never ticked beforehand for a site that is not registered, and granted after a fresh sign-in only. So is what only a newer version knows.
    #[serde(other)]
    High,
}

impl Risk {
    /// As everybody writes it: `ordinary`, `high`.
    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Ordinary => "ordinary",
            Risk::High => "high",
        }
    }

    /// The other way round.
    pub fn parse(text: &str) -> Option<Risk> {
        [Risk::Ordinary, Risk::High].into_iter().find(|risk| risk.as_str() == text)
    }
}

impl ScopeRegistryRecord {
    /// The sentences as the JSON that both backends keep.
    pub fn scopes_as_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.scopes)
    }

    /// The other way round.
    pub fn scopes_of_json(json: &str) -> Result<Vec<ScopeSentence>, serde_json::Error> {
        serde_json::from_str(json)
    }
}

impl ScopeSentence {
    /// In a line, for the history: `notes:read:<book> (ordinary): Read <book>`.
    pub fn in_a_line(&self) -> String {
        format!("{} ({}): {}", self.template, self.risk.as_str(), self.sentence)
    }
}
