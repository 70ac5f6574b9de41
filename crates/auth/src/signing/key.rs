//! The keys that sign (RFC 7517, RFC 7518, RFC 8037): one for each algorithm, replaced together.
//!
//! They are made by the library that signs, with its own source of randomness: it takes no other, neither for a key nor for a signature. It makes no key of RSA: whoever
//! wants one brings it, and it is carried on where others take its place.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_store::{IssuerRecord, SigningAlgorithm};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json};

use crate::signing::jws::SentJws;

/// One key for each algorithm.
pub struct SigningKey {
    es256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    rsa: Option<RsaKeyPair>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// When another one took its place, milliseconds since 1970.
    pub retired_ms: Option<i64>,
}

impl SigningKey {
    /// New keys as the text that is kept, with this one of RSA (PKCS #8 in base64url). `None`: the library could not.
    pub fn generate(rsa: Option<&str>) -> Option<String> {
        let random = SystemRandom::new();
        let es256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok()?;
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).ok()?;
        let pair = [URL_SAFE_NO_PAD.encode(es256.as_ref()), URL_SAFE_NO_PAD.encode(ed25519.as_ref())];
        Some(pair.iter().map(String::as_str).chain(rsa).collect::<Vec<_>>().join("."))
    }

    /// `None`: what is kept does not open any more.
    pub(crate) fn read(kept: &IssuerRecord) -> Option<SigningKey> {
        let mut parts = kept.token.expose().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok());
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

    /// The public key. `None`: there is none for this algorithm.
    pub fn public(&self, algorithm: SigningAlgorithm) -> Option<&[u8]> {
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

    /// As it is published (RFC 7517). `None`: there is no key for this algorithm.
    pub fn jwk(&self, algorithm: SigningAlgorithm) -> Option<Value> {
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
    pub fn sign(&self, algorithm: SigningAlgorithm, typ: &str, claims: &Value) -> Option<String> {
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

    /// Whether it has signed this, by the algorithm and with the key that the header names.
    fn verifies(&self, jws: &SentJws<'_>) -> bool {
        let Some(algorithm) = jws.algorithm().filter(|algorithm| self.id(*algorithm).as_deref() == jws.key_id()) else { return false };
        let by: &'static dyn signature::VerificationAlgorithm = match algorithm {
            SigningAlgorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            SigningAlgorithm::EdDsa => &signature::ED25519,
            SigningAlgorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        };
        let public = self.public(algorithm).unwrap_or_default();
        UnparsedPublicKey::new(by, public).verify(jws.message.as_bytes(), &jws.signature).is_ok()
    }
}

impl SentJws<'_> {
    /// The claims, where one of these keys has signed them.
    pub fn claims_by(self, keys: &[Arc<SigningKey>]) -> Option<Value> {
        if keys.iter().any(|key| key.verifies(&self)) { Some(self.claims) } else { None }
    }
}
