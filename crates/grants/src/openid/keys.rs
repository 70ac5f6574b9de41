//! The keys that sign for applications and services: when the newest ones begin to, and what is published of them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::{MINUTE_MS, SentJws, SigningAlgorithm, SigningKey};
use falconer_login::LoginError;
use ring::digest;
use ring::signature::RsaKeyPair;
use serde_json::{Value, json};

use crate::grants::Grants;

/// A new key is published so long before it signs, so that every server and every application has seen it.
const PUBLISHED_BEFORE_MS: i64 = MINUTE_MS;

/// The left half of the hash that goes with a signature, as `at_hash` holds it (OpenID Connect Core 1.0 section 3.1.3.6).
pub(super) fn half_hash(algorithm: SigningAlgorithm, text: &str) -> String {
    let algorithm = match algorithm {
        SigningAlgorithm::Es256 | SigningAlgorithm::Rs256 => &digest::SHA256,
        SigningAlgorithm::EdDsa => &digest::SHA512,
    };
    let hash = digest::digest(algorithm, text.as_bytes());
    let (half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(half)
}

/// The `typ` of ID tokens.
pub(super) const ID_TOKEN: &str = "JWT";

impl Grants {
    /// What signs by this algorithm now. The first ones are made here; they sign at once, because nobody has seen another.
    pub(crate) async fn signing_key(&self, algorithm: SigningAlgorithm) -> Result<Arc<SigningKey>, LoginError> {
        let mut keys = self.auth.published_keys();
        if keys.iter().all(|key| key.retired_ms.is_some()) {
            let text = SigningKey::generate(None).ok_or_else(no_key)?;
            self.auth.ensure_signing_secret(&text).await.map_err(|error| LoginError::Internal(error.to_string()))?;
            keys = self.auth.published_keys();
        }
        keys.retain(|key| key.public(algorithm).is_some());
        let now_ms = self.now_ms();
        let is_known = |key: &Arc<SigningKey>| key.created_ms.saturating_add(PUBLISHED_BEFORE_MS) <= now_ms;
        let newest_known = keys.iter().rposition(is_known).unwrap_or(0);
        if newest_known < keys.len() { Ok(keys.swap_remove(newest_known)) } else { Err(no_key()) }
    }

    /// Whether there is a key for this algorithm. Others than RS256 have one as soon as it is needed.
    pub fn signs_by(&self, algorithm: SigningAlgorithm) -> bool {
        algorithm != SigningAlgorithm::Rs256 || self.kept_rsa().is_some()
    }

    /// The newest key of RSA that somebody has brought, as it is kept.
    fn kept_rsa(&self) -> Option<String> {
        let kept = self.auth.signing_secrets();
        kept.iter().rev().filter(|key| key.retired_ms.is_none()).find_map(|key| key.secret.expose().split('.').nth(2).map(str::to_owned))
    }

    /// Other keys take the place of those that sign: they are published at once, and sign a minute later. `rsa` is a key of RSA in PKCS #8 (DER); without one the
    /// last one stays, if there is one. Answers their name; `None`: it is no such key, or not one of 2048 to 4096 bits.
    pub async fn rotate_signing_key(&self, rsa: Option<&[u8]>) -> Result<Option<String>, LoginError> {
        if rsa.is_some_and(|der| RsaKeyPair::from_pkcs8(der).is_err()) {
            return Ok(None);
        }
        let rsa = rsa.map(|der| URL_SAFE_NO_PAD.encode(der)).or_else(|| self.kept_rsa());
        let text = SigningKey::generate(rsa.as_deref()).ok_or_else(no_key)?;
        self.auth.rotate_signing_secret(&text).await.map(Some).map_err(|error| LoginError::Internal(error.to_string()))
    }

    /// `GET /login/oauth/jwks`: a set of keys (RFC 7517 section 5).
    pub async fn signing_keys(&self) -> Result<Value, LoginError> {
        self.signing_key(SigningAlgorithm::default()).await?;
        let keys = self.auth.published_keys();
        let mut all: Vec<Value> = Vec::new();
        for jwk in keys.iter().flat_map(|key| SigningAlgorithm::ALL.map(|algorithm| key.jwk(algorithm))).flatten() {
            // One of RSA may be carried on.
            if !all.contains(&jwk) {
                all.push(jwk);
            }
        }
        Ok(json!({ "keys": all }))
    }

    /// The claims of an ID token that this installation has signed, however old; `issuer` is Falconer's own origin. `None`: it has not, or with a key that was
    /// replaced long ago.
    pub(super) fn own_claims(&self, token: &str, issuer: &str) -> Option<Value> {
        // INVARIANT: what else is signed has another type, and is no ID token.
        let sent = SentJws::read(token).filter(|sent| sent.is_of_type(ID_TOKEN))?;
        let claims = sent.claims_by(&self.auth.known_keys())?;
        (claims.get("iss").and_then(Value::as_str) == Some(issuer)).then_some(claims)
    }
}

fn no_key() -> LoginError {
    LoginError::Internal("there is no key that signs ID tokens".to_owned())
}
