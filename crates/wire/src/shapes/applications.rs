//! Applications that ask people for grants by OAuth 2.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How an application proves who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationKind {
    /// It keeps no secret.
    #[default]
    Public,
    /// A server with a secret.
    Confidential,
}

/// Public keys as RFC 7517 section 5 writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    /// Each a JWK.
    pub keys: Vec<Map<String, Value>>,
}

/// An application of the database.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// The `client_id` of OAuth 2.
    pub id: String,
    /// What the grant page calls it.
    pub name: String,
    /// Markdown, for administrators.
    pub description: String,
    /// The identity of whoever may change it; empty: nobody but administrators.
    pub owner: String,
    /// Where its answers go.
    pub redirect_uris: Vec<String>,
    /// What it may ask for. Of one that registered itself without a token: `*`, anything, and beside it what it asks for where its request names nothing; without `*`
    /// only what is written.
    pub scopes: Vec<String>,
    /// The longest life of a grant to it.
    pub max_life_seconds: i64,
    /// How it proves who it is.
    pub kind: ApplicationKind,
    /// For how long people may have their consent remembered; 0: they are asked each time.
    #[serde(default)]
    pub remember_consent_seconds: i64,
    /// Nobody is asked for what is not broad.
    #[serde(default)]
    pub skip_consent: bool,
    /// Whether its requests have to be pushed.
    #[serde(default)]
    pub pushed_only: bool,
    /// What its ID tokens are signed with: `ES256`, `EdDSA` or `RS256`.
    #[serde(default = "es256")]
    pub id_token_alg: String,
    /// Where it is told that a session has ended; empty: nowhere.
    #[serde(default)]
    pub backchannel_logout_uri: String,
    /// Whether it has registered itself.
    #[serde(default)]
    pub registered_itself: bool,
    /// The id of the initial access token that it was registered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_token: Option<String>,
    /// Its access tokens are bound to keys, and it gets none without a proof (RFC 9449).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// The public keys that it proves with who it is, in place of a secret (RFC 7523).
    #[serde(default)]
    pub jwks: KeySet,
    /// Whether it acts of its own accord: its grants are short unless the person says otherwise.
    #[serde(default)]
    pub agent: bool,
    /// When its secret was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_made: Option<String>,
    /// Until when the secret before counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret_ends: Option<String>,
    /// Its secret: only in the answer to whoever made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// When it was made.
    pub created: String,
    /// When it was changed last.
    pub last_modified: String,
}

/// Without the secret.
impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A page of listApplications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationList {
    /// In the order of their ids.
    pub applications: Vec<Application>,
    /// Present only if there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation_token: Option<String>,
}

/// What an application is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutApplicationRequest {
    /// What the grant page calls it.
    pub name: String,
    /// Markdown, for administrators.
    #[serde(default)]
    pub description: String,
    /// The identity of whoever may change it; empty: nobody but administrators.
    #[serde(default)]
    pub owner: String,
    /// Where its answers go.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// The longest life of a grant to it; 7 days if nothing is said.
    #[serde(default = "seven_days")]
    pub max_life_seconds: i64,
    /// How it proves who it is.
    #[serde(default)]
    pub kind: ApplicationKind,
    /// For how long people may have their consent remembered; 0: they are asked each time.
    #[serde(default)]
    pub remember_consent_seconds: i64,
    /// Nobody is asked for what is not broad.
    #[serde(default)]
    pub skip_consent: bool,
    /// Whether its requests have to be pushed.
    #[serde(default)]
    pub pushed_only: bool,
    /// What its ID tokens are signed with: `ES256`, `EdDSA` or `RS256`.
    #[serde(default = "es256")]
    pub id_token_alg: String,
    /// Its access tokens are bound to keys, and it gets none without a proof (RFC 9449).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// The public keys that it proves with who it is, in place of a secret (RFC 7523).
    #[serde(default)]
    pub jwks: KeySet,
    /// Whether it acts of its own accord: its grants are short unless the person says otherwise.
    #[serde(default)]
    pub agent: bool,
    /// Where it is told that a session has ended; empty: nowhere.
    #[serde(default)]
    pub backchannel_logout_uri: String,
}

/// What is wished of another secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetApplicationSecretRequest {
    /// For how long the secret before counts; a day if nothing is said, 0: it ends at once.
    #[serde(default = "a_day")]
    pub overlap_seconds: i64,
}

/// What applications register themselves with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitialToken {
    /// Its name.
    pub id: String,
    /// Markdown, for administrators.
    pub description: String,
    /// Who made it: a clientId or an identity.
    pub created_by: String,
    /// The identity that owns what is registered; empty: nobody.
    pub owner: String,
    /// What may be asked for by what is registered, at most.
    pub scopes: Vec<String>,
    /// The longest life of grants to what is registered.
    pub max_life_seconds: i64,
    /// How often it can be used.
    pub max_uses: i64,
    /// How often it was used.
    pub uses: i64,
    /// When it was made.
    pub created: String,
    /// From then on it counts no more.
    pub expires: String,
    /// The token: only in the answer to whoever made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Without the token.
impl fmt::Debug for InitialToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitialToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The answer of listInitialTokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitialTokenList {
    /// In the order of their ids.
    pub initial_tokens: Vec<InitialToken>,
}

/// What an initial access token is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateInitialTokenRequest {
    /// Markdown, for administrators.
    #[serde(default)]
    pub description: String,
    /// The identity that owns what is registered; empty: nobody.
    #[serde(default)]
    pub owner: String,
    /// What may be asked for by what is registered, at most.
    pub scopes: Vec<String>,
    /// The longest life of grants to what is registered; 7 days if nothing is said.
    #[serde(default = "seven_days")]
    pub max_life_seconds: i64,
    /// How often it can be used; once if nothing is said.
    #[serde(default = "once")]
    pub uses: i64,
    /// For how long it counts; 7 days if nothing is said.
    #[serde(default = "seven_days")]
    pub life_seconds: i64,
}

fn es256() -> String {
    "ES256".to_owned()
}

fn once() -> i64 {
    1
}

fn a_day() -> i64 {
    86_400
}

fn seven_days() -> i64 {
    604_800
}
