//! `[[offline_service]]`: a service that verifies access tokens by itself.

use falconer_grants::SigningAlgorithm;
use serde::Deserialize;

/// `[[offline_service]]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct OfflineService {
    /// Its URL, as applications name it in `resource`.
    pub resource: String,
    /// The scopes that it asks for: no token says more to it.
    pub scopes: Vec<String>,
    /// `ES256`, `EdDSA` or `RS256`.
    #[serde(default = "es256")]
    pub alg: String,
}

fn es256() -> String {
    SigningAlgorithm::Es256.as_str().to_owned()
}
