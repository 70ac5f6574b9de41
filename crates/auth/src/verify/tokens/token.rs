//! What is under the MAC of a token of either form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_credentials::{BearerClaims, BoundServices, KeyThumbprint, PresentedToken};

use crate::directory::snapshot::Snapshot;
use crate::verify::reason::{Reason, TokenFault};

/// A token that Falconer has made, whatever has become of its grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOfGrant {
    /// [`falconer_store::GrantRecord::id`]
    pub grant: String,
    /// From then on it is worth nothing; milliseconds since 1970.
    pub expires_ms: i64,
    /// Where it counts.
    pub services: BoundServices,
    /// The key whose proofs go with it. `None`: it counts for whoever has it.
    pub proof_key: Option<KeyThumbprint>,
}

/// Checksum and MAC, and nothing of the grant.
pub(super) fn authentic(snapshot: &Snapshot, presented: Option<PresentedToken>) -> Result<TokenOfGrant, Reason> {
    let presented = presented.ok_or(Reason::Token(TokenFault::Malformed))?;
    let issuer = snapshot.issuer_numbered(presented.key());
    let claims = presented.check_mac(issuer.map(|issuer| &issuer.bearer)).ok_or(Reason::Token(TokenFault::Unknown))?;
    let BearerClaims { expires_ms, services, proof_key, .. } = claims;
    Ok(TokenOfGrant { grant: URL_SAFE_NO_PAD.encode(claims.subject), expires_ms, services, proof_key })
}
