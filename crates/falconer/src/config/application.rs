//! `[[application]]`: an application that asks by OAuth 2.

use falconer_grants::{ApplicationKind, SigningAlgorithm};
use serde::Deserialize;

/// `[[application]]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The `client_id`.
    pub id: String,
    /// What the page calls it.
    pub name: String,
    /// Whom to ask about it.
    #[serde(default)]
    pub owner: String,
    /// Where its answers go: exact, but for the port of `http` on this machine.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// The most that it may ask for.
    pub scopes: Vec<String>,
    /// The longest life of a grant to it (a time expression, at most 31 days); never more than `grant.max_ttl`.
    #[serde(default = "seven_days")]
    pub max_life: String,
    /// `public`, `confidential`, `reference-code` or `reference-token`.
    #[serde(default = "public")]
    pub kind: String,
    /// SHA-256 of the secret of a confidential one, in hexadecimal digits.
    pub secret_sha256: Option<String>,
    /// Its public keys as a JWKS, which it proves with who it is, in place of a secret.
    #[serde(default)]
    pub jwks: String,
    /// Whether it acts of its own accord: its grants are short unless the person says otherwise.
    #[serde(default)]
    pub agent: bool,
    /// Whether it may ask on devices, by a short code.
    #[serde(default)]
    pub device: bool,
    /// For how long people may have their consent remembered (a time expression, at most 90 days); nothing: they are asked each time.
    pub remember_consent: Option<String>,
    /// Nobody is asked for what is not broad.
    #[serde(default)]
    pub skip_consent: bool,
    /// Its access tokens are bound to keys, and it gets none without a proof (RFC 9449).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// Whether its requests have to be pushed.
    #[serde(default)]
    pub pushed_only: bool,
    /// What its ID tokens are signed with: `ES256`, `EdDSA`, or `RS256` where there is a key of RSA.
    #[serde(default = "es256")]
    pub id_token_alg: String,
    /// Where it is told that a session has ended; empty: nowhere.
    #[serde(default)]
    pub backchannel_logout_uri: String,
}

fn seven_days() -> String {
    "7 days".to_owned()
}

fn es256() -> String {
    SigningAlgorithm::Es256.as_str().to_owned()
}

fn public() -> String {
    ApplicationKind::Public.as_str().to_owned()
}
