//! Making temporary credentials: no server is asked.

use crate::AccessToken;
use crate::certificate::claims::{MAX_INTEGER, MAX_LIFETIME_MS, is_client_id, write_signed};
use serde_json::json;

/// Temporary credentials. What signs with them: `id` = `client_id`, key = `access_token`, and `certificate` inside `ext` (see
/// [`crate::sign::ext`]).
#[derive(Clone, Debug)]
pub struct Temporary {
    /// The name, or the issuer's clientId for unnamed ones.
    pub client_id: String,
    /// The temporary key, 43 characters.
    pub access_token: AccessToken,
    /// JSON text: `{"version":1,"scopes":["a"],"start":1767225600000,"expiry":1767229200000,"seed":"...","signature":"..."}`, with `issuer` for
    /// named ones.
    pub certificate: String,
}

/// Why temporary credentials can't be made. All are mistakes of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemporaryError {
    /// The name is the issuer's own clientId: every server refuses that.
    #[error("the name of temporary credentials must differ from their issuer")]
    NameIsIssuer,
    /// The name is none that a client can have: Falconer refuses it.
    #[error("the name of temporary credentials may hold letters, digits and !@/:.+|_- only")]
    NameIsNoClientId,
    /// More than 31 days between start and expiry.
    #[error("temporary credentials cannot last longer than 31 days")]
    TooLong,
    /// The start or the expiry lies beyond 2^53 ms, where not every integer is a JavaScript number.
    #[error("start and expiry of temporary credentials must lie within 2^53 ms of the epoch")]
    OutOfRange,
}

/// Makes temporary credentials of a permanent client. `name` makes named ones; the issuer then needs `auth:create-client:<name>`. `seed` is the
/// text of two slugids (44 characters, secret-free, fresh for each). Times are milliseconds since the epoch; servers tolerate five minutes.
///
/// Whether the issuer has the scopes is for the server to decide.
pub fn create(
    issuer_id: &str,
    issuer_token: &AccessToken,
    name: Option<&str>,
    scopes: &[String],
    start_ms: i64,
    expiry_ms: i64,
    seed: &str,
) -> Result<Temporary, TemporaryError> {
    if name == Some(issuer_id) {
        return Err(TemporaryError::NameIsIssuer);
    }
    if name.is_some_and(|name| !is_client_id(name)) {
        return Err(TemporaryError::NameIsNoClientId);
    }
    if start_ms.unsigned_abs() > MAX_INTEGER || expiry_ms.unsigned_abs() > MAX_INTEGER {
        return Err(TemporaryError::OutOfRange);
    }
    if expiry_ms.saturating_sub(start_ms) > MAX_LIFETIME_MS {
        return Err(TemporaryError::TooLong);
    }
    let named = name.map(|name| (name, issuer_id));
    let signature = issuer_token.key().mac(|text| write_signed(text, named, seed, start_ms, expiry_ms, scopes));
    let mut certificate = json!({
        "version": 1,
        "scopes": scopes,
        "start": start_ms,
        "expiry": expiry_ms,
        "seed": seed,
        "signature": signature.text(),
    });
    if let (Some(_), Some(object)) = (name, certificate.as_object_mut()) {
        object.insert("issuer".to_owned(), issuer_id.into());
    }
    Ok(Temporary {
        client_id: name.unwrap_or(issuer_id).to_owned(),
        access_token: key(issuer_token, seed),
        certificate: certificate.to_string(),
    })
}

/// The temporary key that belongs to a seed: base64url without padding of HMAC-SHA256(token, seed), 43 characters.
pub fn key(issuer_token: &AccessToken, seed: &str) -> AccessToken {
    let text = issuer_token.key().temporary(seed);
    AccessToken::new(String::from_utf8_lossy(&*text).into_owned())
}
