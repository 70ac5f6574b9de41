//! The proof: an ID token that this provider made for this client and this sign-in, just now (OpenID Connect Core 1.0 section 3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::{CompactJws, JwsAlgorithm, MINUTE_MS};
use ring::digest;
use serde::Deserialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use super::keys::Keys;
use crate::providers::error::{ProviderError, short};
use crate::providers::flow::FLOW_MS;

/// So far the provider's clock may be off.
pub(crate) const LEEWAY_MS: i64 = MINUTE_MS;
/// Longer tokens are not looked at, in bytes.
const LONGEST_TOKEN: usize = 64 * 1024;

/// What a token has to say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    /// `None`: the token was not made for a sign-in, but for a refresh (OpenID Connect Core 1.0 section 12.2).
    pub(crate) nonce: Option<&'a str>,
    /// The access token that came beside it.
    pub(crate) access_token: Option<&'a str>,
    /// What the provider says that it signs with.
    pub(crate) algorithms: Option<&'a [String]>,
}

/// A token that was taken apart; nothing of it is believed yet.
pub(crate) struct UnverifiedToken<'a> {
    algorithm: JwsAlgorithm,
    key_id: Option<String>,
    message: &'a str,
    signature: Vec<u8>,
    claims: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

impl<'a> UnverifiedToken<'a> {
    pub(crate) fn read(token: &'a str, expected: &Expected<'_>) -> Result<UnverifiedToken<'a>, ProviderError> {
        if token.len() > LONGEST_TOKEN {
            return Err(ProviderError::Token("it is too long"));
        }
        let parts = CompactJws::split(token).ok_or(ProviderError::Token("it has no three parts"))?;
        let CompactJws { header, claims, message, signature } = parts;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| ProviderError::Token("its header is not what one is"))?;
        let name = || short(&header.alg);
        let algorithm = JwsAlgorithm::named(&header.alg).ok_or_else(|| ProviderError::Algorithm(name()))?;
        if expected.algorithms.is_some_and(|offered| !offered.contains(&header.alg)) {
            return Err(ProviderError::Algorithm(name()));
        }
        if header.crit.is_some() {
            return Err(ProviderError::CriticalHeader);
        }
        if let Some(kind) = header.typ.filter(|kind| !kind.eq_ignore_ascii_case("JWT")) {
            return Err(ProviderError::OtherKind(short(&kind)));
        }
        Ok(UnverifiedToken { algorithm, key_id: header.kid, message, signature: decode(signature)?, claims })
    }

    /// The claims, if all of it holds.
    pub(crate) fn prove(&self, keys: &Keys, expected: &Expected<'_>, now_ms: i64) -> Result<Map<String, Value>, ProviderError> {
        let key = keys.find(self.key_id.as_deref(), self.algorithm)?;
        if !self.algorithm.verify(&key.public, self.message.as_bytes(), &self.signature) {
            return Err(ProviderError::Signature);
        }
        let claims: Map<String, Value> =
            serde_json::from_slice(&decode(self.claims)?).map_err(|_| ProviderError::Token("its claims are no JSON object"))?;
        check_parties(&claims, expected)?;
        check_times(&claims, now_ms)?;
        if let Some(expected) = expected.nonce
            && !equal(text(&claims, "nonce").ok_or(ProviderError::Nonce)?, expected)
        {
            return Err(ProviderError::Nonce);
        }
        if let Some(hash) = claims.get("at_hash") {
            let made_with = expected.access_token.map(|token| URL_SAFE_NO_PAD.encode(half_hash(self.algorithm, token)));
            if made_with.is_none() || made_with.as_deref() != hash.as_str() {
                return Err(ProviderError::AccessTokenHash);
            }
        }
        Ok(claims)
    }
}

/// When the provider asked somebody last to prove who they are (`auth_time`), milliseconds since 1970; `None`: it does not say.
pub(crate) fn authenticated_ms(claims: &Map<String, Value>, now_ms: i64) -> Result<Option<i64>, ProviderError> {
    match time_ms(claims, "auth_time")? {
        Some(at_ms) if at_ms > now_ms.saturating_add(LEEWAY_MS) => Err(ProviderError::Claim("auth_time")),
        at_ms => Ok(at_ms.map(|at_ms| at_ms.min(now_ms))),
    }
}

fn check_parties(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), ProviderError> {
    let issuer = text(claims, "iss").ok_or(ProviderError::Claim("iss"))?;
    if issuer != expected.issuer {
        return Err(ProviderError::Issuer(short(issuer)));
    }
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().map(Value::as_str).collect::<Option<_>>().ok_or(ProviderError::Claim("aud"))?,
        _ => return Err(ProviderError::Claim("aud")),
    };
    if !audience.contains(&expected.client_id) {
        return Err(ProviderError::Audience);
    }
    match claims.get("azp") {
        None if audience.len() == 1 => Ok(()),
        Some(Value::String(party)) if party == expected.client_id => Ok(()),
        _ => Err(ProviderError::AuthorizedParty),
    }
}

fn check_times(claims: &Map<String, Value>, now_ms: i64) -> Result<(), ProviderError> {
    let ends_ms = time_ms(claims, "exp")?.ok_or(ProviderError::Claim("exp"))?;
    if now_ms >= ends_ms.saturating_add(LEEWAY_MS) {
        return Err(ProviderError::Ended);
    }
    let issued_ms = time_ms(claims, "iat")?.ok_or(ProviderError::Claim("iat"))?;
    if issued_ms > now_ms.saturating_add(LEEWAY_MS) || issued_ms < now_ms.saturating_sub(FLOW_MS + LEEWAY_MS) {
        return Err(ProviderError::NotFresh);
    }
    if time_ms(claims, "nbf")?.is_some_and(|begins_ms| begins_ms > now_ms.saturating_add(LEEWAY_MS)) {
        return Err(ProviderError::NotYet);
    }
    Ok(())
}

/// Seconds, whole or not, as milliseconds.
fn time_ms(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, ProviderError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().or_else(|| {
        let seconds = value.as_f64().filter(|seconds| seconds.abs() < 1e14)?;
        #[expect(clippy::cast_possible_truncation, reason = "far below the bounds of i64")]
        let whole = seconds.trunc() as i64;
        Some(whole)
    });
    seconds.map(|seconds| Some(seconds.saturating_mul(1000))).ok_or(ProviderError::Claim(name))
}

/// The left half of the hash that goes with the signature: what `at_hash` holds (OpenID Connect Core 3.1.3.6).
fn half_hash(algorithm: JwsAlgorithm, text: &str) -> Vec<u8> {
    let algorithm = match algorithm {
        JwsAlgorithm::Rs256 | JwsAlgorithm::Ps256 | JwsAlgorithm::Es256 => &digest::SHA256,
        JwsAlgorithm::Es384 => &digest::SHA384,
        JwsAlgorithm::EdDsa => &digest::SHA512,
    };
    let hash = digest::digest(algorithm, text.as_bytes());
    let half = hash.as_ref().len() / 2;
    hash.as_ref().iter().take(half).copied().collect()
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

fn decode(part: &str) -> Result<Vec<u8>, ProviderError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| ProviderError::Token("it is not base64url"))
}

fn equal(given: &str, expected: &str) -> bool {
    !expected.is_empty() && bool::from(given.as_bytes().ct_eq(expected.as_bytes()))
}
