//! The keys that sign (RFC 7517, RFC 7518, RFC 8037): one for each algorithm, replaced together.
//!
//! They are made by the library that signs, with its own source of randomness: it takes no other, neither for a key nor for a signature. It makes no key of RSA: whoever
//! wants one brings it, and it is carried on where others take its place.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::{DAY_MS, MINUTE_MS, SigningAlgorithm, SigningSecret};
use falconer_login::LoginError;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json};

use crate::grants::Grants;

/// A new key is published so long before it signs, so that every server and every application has seen it.
const PUBLISHED_BEFORE_MS: i64 = MINUTE_MS;
/// And one that was replaced so long afterwards.
const PUBLISHED_AFTER_MS: i64 = DAY_MS;

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

/// One key for each algorithm.
pub(super) struct SigningKey {
    es256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    rsa: Option<RsaKeyPair>,
    created_ms: i64,
    retired_ms: Option<i64>,
}

impl SigningKey {
    /// New keys as the text that is kept, with this one of RSA (PKCS #8 in base64url). `None`: the library could not.
    fn generate(rsa: Option<&str>) -> Option<String> {
        let random = SystemRandom::new();
        let es256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok()?;
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).ok()?;
        let pair = [URL_SAFE_NO_PAD.encode(es256.as_ref()), URL_SAFE_NO_PAD.encode(ed25519.as_ref())];
        Some(pair.iter().map(String::as_str).chain(rsa).collect::<Vec<_>>().join("."))
    }

    /// `None`: what is kept does not open any more.
    fn read(kept: &SigningSecret) -> Option<SigningKey> {
        let mut parts = kept.secret.expose().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let (es256, ed25519) = (parts.next()??, parts.next()??);
        let rsa = match parts.next() {
            None => None,
            Some(rsa) => Some(RsaKeyPair::from_pkcs8(&rsa?).ok()?),
        };
        Some(SigningKey {
            es256: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &es256, &SystemRandom::new()).ok()?,
            ed25519: Ed25519KeyPair::from_pkcs8(&ed25519).ok()?,
            rsa,
            created_ms: kept.created_ms,
            retired_ms: kept.retired_ms,
        })
    }

    /// `None`: there is no key for this algorithm.
    fn public(&self, algorithm: SigningAlgorithm) -> Option<&[u8]> {
        match algorithm {
            SigningAlgorithm::Es256 => Some(self.es256.public_key().as_ref()),
            SigningAlgorithm::EdDsa => Some(self.ed25519.public_key().as_ref()),
            SigningAlgorithm::Rs256 => self.rsa.as_ref().map(|rsa| rsa.public_key().as_ref()),
        }
    }

    /// Short for the public key, so that no other key ever has it.
    fn id(&self, algorithm: SigningAlgorithm) -> Option<String> {
        let hash = digest::digest(&digest::SHA256, self.public(algorithm)?);
        Some(URL_SAFE_NO_PAD.encode(hash.as_ref().get(..12).unwrap_or_default()))
    }

    fn jwk(&self, algorithm: SigningAlgorithm) -> Option<Value> {
        let (id, name) = (self.id(algorithm)?, algorithm.as_str());
        let public = self.public(algorithm)?;
        let part = |from: usize| URL_SAFE_NO_PAD.encode(public.get(from..from + 32).unwrap_or_default());
        Some(match algorithm {
            // The point begins with a 4: it is not compressed.
            SigningAlgorithm::Es256 => {
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": name, "kid": id, "x": part(1), "y": part(33) })
            }
            SigningAlgorithm::EdDsa => json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": name, "kid": id, "x": part(0) }),
            SigningAlgorithm::Rs256 => {
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.as_ref()?.public());
                json!({ "kty": "RSA", "use": "sig", "alg": name, "kid": id, "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e) })
            }
        })
    }

    /// A JWS of this `typ` in its compact form (RFC 7515 section 7.1). `None`: there is no key for this algorithm, or the library could not.
    pub(super) fn sign(&self, algorithm: SigningAlgorithm, typ: &str, claims: &Value) -> Option<String> {
        let header = json!({ "alg": algorithm.as_str(), "kid": self.id(algorithm)?, "typ": typ });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(claims));
        let signature = match algorithm {
            SigningAlgorithm::Es256 => URL_SAFE_NO_PAD.encode(self.es256.sign(&SystemRandom::new(), message.as_bytes()).ok()?.as_ref()),
            SigningAlgorithm::EdDsa => URL_SAFE_NO_PAD.encode(self.ed25519.sign(message.as_bytes()).as_ref()),
            SigningAlgorithm::Rs256 => {
                let rsa = self.rsa.as_ref()?;
                let mut signature = vec![0; rsa.public().modulus_len()];
                rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).ok()?;
                URL_SAFE_NO_PAD.encode(signature)
            }
        };
        Some(format!("{message}.{signature}"))
    }

    fn verifies(&self, key_id: &str, message: &str, signature: &[u8]) -> bool {
        SigningAlgorithm::ALL.into_iter().filter(|algorithm| self.id(*algorithm).as_deref() == Some(key_id)).any(|algorithm| {
            let by: &'static dyn signature::VerificationAlgorithm = match algorithm {
                SigningAlgorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
                SigningAlgorithm::EdDsa => &signature::ED25519,
                SigningAlgorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            };
            let public = self.public(algorithm).unwrap_or_default();
            UnparsedPublicKey::new(by, public).verify(message.as_bytes(), signature).is_ok()
        })
    }
}

impl Grants {
    /// Keys that are published, oldest first: those of now, the next ones, and those that were replaced not long ago.
    fn published_keys(&self) -> Vec<SigningKey> {
        let since_ms = self.now_ms().saturating_sub(PUBLISHED_AFTER_MS);
        let kept = self.auth.signing_secrets();
        let lasting = kept.iter().filter(|key| key.retired_ms.is_none_or(|retired_ms| retired_ms > since_ms));
        lasting.filter_map(SigningKey::read).collect()
    }

    /// What signs by this algorithm now. The first ones are made here; they sign at once, because nobody has seen another.
    pub(super) async fn signing_key(&self, algorithm: SigningAlgorithm) -> Result<SigningKey, LoginError> {
        let mut keys = self.published_keys();
        if keys.iter().all(|key| key.retired_ms.is_some()) {
            let text = SigningKey::generate(None).ok_or_else(no_key)?;
            self.auth.ensure_signing_secret(&text).await.map_err(|error| LoginError::Internal(error.to_string()))?;
            keys = self.published_keys();
        }
        keys.retain(|key| key.public(algorithm).is_some());
        let now_ms = self.now_ms();
        let is_known = |key: &SigningKey| key.created_ms.saturating_add(PUBLISHED_BEFORE_MS) <= now_ms;
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
        let keys = self.published_keys();
        let mut all: Vec<Value> = Vec::new();
        for jwk in keys.iter().flat_map(|key| SigningAlgorithm::ALL.map(|algorithm| key.jwk(algorithm))).flatten() {
            // One of RSA may be carried on.
            if !all.contains(&jwk) {
                all.push(jwk);
            }
        }
        Ok(json!({ "keys": all }))
    }

    /// The claims of an ID token that this installation has signed, however old; `issuer` is Falconer's own origin. `None`: it has not, or with a key that is gone.
    pub(super) fn own_claims(&self, token: &str, issuer: &str) -> Option<Value> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let decode = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let header = decode(header)?;
        let (key_id, signature) = (header.get("kid")?.as_str()?, URL_SAFE_NO_PAD.decode(signature).ok()?);
        // INVARIANT: what else is signed has another type, and is no ID token.
        if header.get("typ").and_then(Value::as_str) != Some(ID_TOKEN) {
            return None;
        }
        let is_ours = self.published_keys().iter().any(|key| key.verifies(key_id, message, &signature));
        let claims = if is_ours { decode(claims)? } else { return None };
        (claims.get("iss").and_then(Value::as_str) == Some(issuer)).then_some(claims)
    }
}

fn no_key() -> LoginError {
    LoginError::Internal("there is no key that signs ID tokens".to_owned())
}
