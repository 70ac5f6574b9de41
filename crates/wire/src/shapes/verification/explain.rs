//! Why a request was refused.

use falconer_scopes::Expression;
use serde::{Deserialize, Serialize};

/// What was compared when a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Of the refusal.
    pub id: String,
    /// When.
    pub time: String,
    /// Which method refused: `check`, `authenticateHawk`, or `api`.
    pub by: String,
    /// `denied` or `failed`.
    pub status: String,
    /// A stable word.
    pub reason: String,
    /// In words.
    pub message: String,
    /// What was seen of the request.
    pub request: ExplainedRequest,
    /// Whose credentials held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The id in the credentials. Nothing proves it where the signature is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_id: Option<String>,
    /// Whether there is a client of that id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<bool>,
    /// How far the caller's clock was ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<i64>,
    /// The payload hash in the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_hash: Option<String>,
    /// The payload hash of what arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_hash: Option<String>,
    /// What was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<Expression>,
    /// What of it the caller lacked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Expression>,
    /// Roles that have a scope that was missing.
    pub roles: Vec<ExplainedRole>,
    /// For what the signature is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_match: Option<ExplainedRequest>,
    /// What to look at.
    pub hints: Vec<String>,
}

/// A request, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedRequest {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub resource: String,
    /// Host without the port.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A role, and what was missing that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedRole {
    /// The role.
    pub role_id: String,
    /// The scope of the role.
    pub scope: String,
    /// What was missing.
    pub gives: String,
}
