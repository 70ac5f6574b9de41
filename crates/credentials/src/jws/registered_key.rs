//! A public key that somebody is known by (RFC 7517), as an application's record holds it.

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::jws::algorithm::JwsAlgorithm;
use crate::jws::public_key::PublicKey;
use crate::jws::written_key::WrittenKey;

/// Longest `kid` in bytes.
const LONGEST_ID: usize = 256;

/// Why a key can't be registered. `Display` says what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// It is no JWK.
    #[error("a key is an object of JSON with kty and the members that belong to it (RFC 7517)")]
    Form,
    /// The private part is there.
    #[error("a key holds its private part, which is known to others from now on: make another, and give the public part alone")]
    Private,
    /// It is for something else.
    #[error("a key is not for signatures: leave out use and key_ops, or have them say sig and verify")]
    Use,
    /// Nothing is verified with such a one.
    #[error("a key is none of P-256, P-384, Ed25519 and RSA of 2048 to 4096 bits")]
    Kind,
    /// It says that it is for what it is not for.
    #[error("alg of a key is not one that counts, or not one for this kind of key: ES256, ES384, EdDSA, PS256, RS256")]
    Algorithm,
    /// It can't be named so.
    #[error("kid is empty, or longer than 256 bytes")]
    Id,
}

/// A key, with the name that signatures call it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredKey {
    id: Option<String>,
    algorithm: Option<JwsAlgorithm>,
    key: PublicKey,
}

#[derive(Deserialize)]
struct Written {
    #[serde(flatten)]
    key: WrittenKey,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
}

impl RegisteredKey {
    /// Reads a JWK. What is not known of it is passed over.
    pub fn read(jwk: &Value) -> Result<RegisteredKey, KeyFault> {
        let written = Written::deserialize(jwk).map_err(|_| KeyFault::Form)?;
        if written.key.is_secret() {
            return Err(KeyFault::Private);
        }
        let is_for_signatures = written.usage.as_deref().is_none_or(|usage| usage == "sig")
            && written.key_ops.is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
        if !is_for_signatures {
            return Err(KeyFault::Use);
        }
        if written.kid.as_ref().is_some_and(|id| id.is_empty() || id.len() > LONGEST_ID) {
            return Err(KeyFault::Id);
        }
        let key = PublicKey::read(&written.key.public).filter(PublicKey::is_small).ok_or(KeyFault::Kind)?;
        let algorithm = match written.key.alg.as_deref() {
            None => None,
            Some(name) => Some(JwsAlgorithm::named(name).filter(|said| said.fits(&key)).ok_or(KeyFault::Algorithm)?),
        };
        Ok(RegisteredKey { id: written.kid, algorithm, key })
    }

    /// `kid`
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What it verifies signatures with.
    pub fn public(&self) -> &PublicKey {
        &self.key
    }

    /// Whether a signature of this kind can be its own.
    pub fn is_for(&self, algorithm: JwsAlgorithm) -> bool {
        self.algorithm.is_none_or(|said| said == algorithm) && algorithm.fits(&self.key)
    }

    /// The same key for signatures of one kind alone. `None`: it makes none of that kind.
    #[must_use]
    pub fn only_for(self, algorithm: JwsAlgorithm) -> Option<RegisteredKey> {
        if self.is_for(algorithm) { Some(RegisteredKey { algorithm: Some(algorithm), ..self }) } else { None }
    }

    /// The key as JSON, always written in the same way: what it is, `kid` and `alg`.
    pub fn to_jwk(&self) -> Map<String, Value> {
        let mut members: Map<String, Value> = serde_json::from_str(&self.key.canonical()).unwrap_or_default();
        members.extend(self.id.clone().map(|id| ("kid".to_owned(), Value::String(id))));
        members.extend(self.algorithm.map(|algorithm| ("alg".to_owned(), Value::String(algorithm.name().to_owned()))));
        members
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut jwk = key();
        jwk[name] = value;
        jwk
    }

    #[test]
    fn what_is_written_is_read_as_the_same_key() {
        let jwk = json!({ "kid": "a", "alg": "Ed25519", "use": "sig", "key_ops": ["verify"], "x5c": ["?"], "kty": "OKP", "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let read = RegisteredKey::read(&jwk).unwrap();
        let written = Value::Object(read.to_jwk());
        assert_eq!(written, json!({ "kid": "a", "alg": "EdDSA", "kty": "OKP", "crv": "Ed25519", "x": jwk["x"] }));
        assert_eq!(RegisteredKey::read(&written), Ok(read.clone()));
        assert!(read.is_for(JwsAlgorithm::EdDsa) && !read.is_for(JwsAlgorithm::Es256));
        assert_eq!(RegisteredKey::read(&key()).unwrap().only_for(JwsAlgorithm::Es256), None);
    }

    #[test]
    fn what_is_no_public_key_for_signatures_is_refused() {
        for (jwk, fault) in [
            (json!([]), KeyFault::Form),
            (json!({}), KeyFault::Form),
            (with("kid", json!(1)), KeyFault::Form),
            (with("kid", json!("")), KeyFault::Id),
            (with("kid", json!("a".repeat(257))), KeyFault::Id),
            (with("d", json!("x")), KeyFault::Private),
            (with("d", json!(null)), KeyFault::Private),
            (with("use", json!("enc")), KeyFault::Use),
            (with("key_ops", json!(["sign"])), KeyFault::Use),
            (with("alg", json!("ES256")), KeyFault::Algorithm),
            (with("alg", json!("HS256")), KeyFault::Algorithm),
            (with("alg", json!("none")), KeyFault::Algorithm),
            (with("crv", json!("X25519")), KeyFault::Kind),
            (with("x", json!("AA")), KeyFault::Kind),
            (json!({ "kty": "oct", "k": "c2VjcmV0" }), KeyFault::Private),
            (json!({ "kty": "RSA", "e": "AQAB", "n": "_".repeat(172) }), KeyFault::Kind),
            (json!({ "kty": "RSA", "e": "AQAB", "n": "_".repeat(684) }), KeyFault::Kind),
        ] {
            assert_eq!(RegisteredKey::read(&jwk), Err(fault), "{jwk}");
        }
    }
}
