//! What the browser says (Web Authentication, section 5.8.1): for what, which challenge, on a page of which origin.

use serde::Deserialize;

use super::error::{PasskeyError, malformed};
use super::relying_party::RelyingParty;

/// Longest client data in bytes.
pub(super) const LONGEST: usize = 4096;

/// The members that mean something; others may come (section 5.8.1.2).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    pub(super) challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<serde_json::Value>,
}

impl ClientData {
    /// Reads what a browser wrote. A member that is there twice is an error.
    pub(super) fn read(bytes: &[u8]) -> Result<ClientData, PasskeyError> {
        serde_json::from_slice(bytes).map_err(|error| malformed("client data", error))
    }

    /// `kind` is `webauthn.create` or `webauthn.get`.
    pub(super) fn check(&self, kind: &str, party: &RelyingParty) -> Result<(), PasskeyError> {
        if self.kind != kind {
            return Err(PasskeyError::WrongType);
        }
        if self.origin != party.origin {
            return Err(PasskeyError::WrongOrigin);
        }
        // Pages of ours refuse to be framed.
        if self.cross_origin || self.top_origin.is_some() {
            return Err(PasskeyError::CrossOrigin);
        }
        Ok(())
    }
}
