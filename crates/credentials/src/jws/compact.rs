//! A signed token in its three parts (RFC 7515 section 7.1), and what is read of each.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// The parts, each as it was written. Nothing of them holds before the signature was verified.
pub struct CompactJws<'t> {
    /// The header, in base64url; so are the claims and the signature.
    pub header: &'t str,
    /// What it says.
    pub claims: &'t str,
    /// What the signature covers: both parts, with the dot between.
    pub message: &'t str,
    /// Over the message.
    pub signature: &'t str,
}

impl<'t> CompactJws<'t> {
    /// `None`: there are more parts than three, or fewer.
    pub fn split(text: &'t str) -> Option<CompactJws<'t>> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
        Some(CompactJws { header, claims, message, signature })
    }
}

/// What a part holds.
pub(crate) fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Whether a member is there, whatever its value is.
pub(crate) fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|IgnoredAny| true)
}

/// Seconds of a claim (RFC 7519 section 2), whole or not.
pub(crate) fn milliseconds(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "what is beyond the bounds becomes the bound")]
    let whole = (seconds * 1000.0).round() as i64;
    whole
}
