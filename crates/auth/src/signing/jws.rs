//! What is signed with these keys, as it comes back (RFC 7515 section 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_credentials::CompactJws;
use falconer_store::SigningAlgorithm;
use serde_json::Value;

/// A JWS in its compact form. Nothing of it counts before [`SentJws::claims_by`] gives it.
pub struct SentJws<'t> {
    header: Value,
    pub(super) claims: Value,
    pub(super) message: &'t str,
    pub(super) signature: Vec<u8>,
}

impl<'t> SentJws<'t> {
    /// `None`: it is none.
    pub fn read(text: &'t str) -> Option<SentJws<'t>> {
        let CompactJws { header, claims, message, signature } = CompactJws::split(text)?;
        let decode = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok().filter(Value::is_object);
        Some(SentJws { header: decode(header)?, claims: decode(claims)?, message, signature: URL_SAFE_NO_PAD.decode(signature).ok()? })
    }

    /// Whether the header says so. Each kind of what is signed has a type of its own, so that none is ever taken for another.
    pub fn is_of_type(&self, typ: &str) -> bool {
        self.header.get("typ").and_then(Value::as_str) == Some(typ)
    }

    /// A claim that nothing proves yet.
    pub(crate) fn unproved(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    pub(super) fn algorithm(&self) -> Option<SigningAlgorithm> {
        SigningAlgorithm::of_word(self.header.get("alg")?.as_str()?)
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.get("kid")?.as_str()
    }
}
