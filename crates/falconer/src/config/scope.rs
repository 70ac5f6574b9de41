//! `[[scope]]`: what a service says of its scopes, for the people who are asked for them.

use falconer_grants::Risk;
use serde::Deserialize;

/// `[[scope]]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What the scopes of the service begin with.
    pub namespace: String,
    /// `notes:read:<book>`
    pub template: String,
    /// `Read the book <book>`
    pub sentence: String,
    /// `ordinary` or `high`.
    #[serde(default = "ordinary")]
    pub risk: String,
}

fn ordinary() -> String {
    Risk::Ordinary.as_str().to_owned()
}
