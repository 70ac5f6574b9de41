//! Keys that were made for these tests, and tokens that are signed with them, rightly and wrongly.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use serde_json::{Value, json};

/// With what a token is signed.
#[derive(Clone, Debug, PartialEq)]
pub enum Signer {
    Rs256,
    Ps256,
    Rs512,
    Es256,
    Es384,
    EdDsa,
    /// RS256, with the key of somebody else.
    Stranger,
    /// HMAC-SHA-256 with these bytes.
    Hmac(Vec<u8>),
    /// These bytes instead of a signature.
    Bytes(Vec<u8>),
}

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(text).unwrap()
}

fn rsa() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(include_str!("keys/rsa.pem"))).unwrap()
}

fn stranger() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(include_str!("keys/stranger.pem"))).unwrap()
}

fn p256() -> EcdsaKeyPair {
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    EcdsaKeyPair::from_pkcs8(algorithm, &der(include_str!("keys/p256.pem")), &SystemRandom::new()).unwrap()
}

fn p384() -> EcdsaKeyPair {
    let algorithm = &signature::ECDSA_P384_SHA384_FIXED_SIGNING;
    EcdsaKeyPair::from_pkcs8(algorithm, &der(include_str!("keys/p384.pem")), &SystemRandom::new()).unwrap()
}

fn ed25519() -> Ed25519KeyPair {
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(include_str!("keys/ed25519.pem"))).unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn of_rsa(key: &RsaKeyPair, id: &str) -> Value {
    let parts = PublicKeyComponents::<Vec<u8>>::from(key.public());
    json!({"kty": "RSA", "use": "sig", "kid": id, "n": text(&parts.n), "e": text(&parts.e)})
}

/// What an attacker may offer instead.
pub fn stranger_key(id: &str) -> Value {
    of_rsa(&stranger(), id)
}

/// The provider's set of keys: `rsa`, `p256`, `p384`, `ed`.
pub fn public_keys() -> Value {
    let curve = |id: &str, name: &str, point: &[u8]| {
        let (x, y) = point[1..].split_at(point.len() / 2);
        json!({"kty": "EC", "use": "sig", "kid": id, "crv": name, "x": text(x), "y": text(y)})
    };
    let ed = json!({"kty": "OKP", "use": "sig", "kid": "ed", "crv": "Ed25519", "alg": "EdDSA", "x": text(ed25519().public_key().as_ref())});
    json!({"keys": [
        of_rsa(&rsa(), "rsa"),
        curve("p256", "P-256", p256().public_key().as_ref()),
        curve("p384", "P-384", p384().public_key().as_ref()),
        ed,
    ]})
}

impl Signer {
    pub fn sign(&self, message: &str) -> Vec<u8> {
        let (random, message) = (SystemRandom::new(), message.as_bytes());
        let with_rsa = |key: &RsaKeyPair, padding: &'static dyn signature::RsaEncoding| {
            let mut bytes = vec![0; key.public().modulus_len()];
            key.sign(padding, &random, message, &mut bytes).unwrap();
            bytes
        };
        match self {
            Signer::Rs256 => with_rsa(&rsa(), &signature::RSA_PKCS1_SHA256),
            Signer::Ps256 => with_rsa(&rsa(), &signature::RSA_PSS_SHA256),
            Signer::Rs512 => with_rsa(&rsa(), &signature::RSA_PKCS1_SHA512),
            Signer::Stranger => with_rsa(&stranger(), &signature::RSA_PKCS1_SHA256),
            Signer::Es256 => p256().sign(&random, message).unwrap().as_ref().to_vec(),
            Signer::Es384 => p384().sign(&random, message).unwrap().as_ref().to_vec(),
            Signer::EdDsa => ed25519().sign(message).as_ref().to_vec(),
            Signer::Hmac(key) => {
                let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
                mac.update(message);
                mac.finalize().into_bytes().to_vec()
            }
            Signer::Bytes(bytes) => bytes.clone(),
        }
    }
}

/// A token of three parts.
pub fn token(header: &Value, claims: &Value, signer: &Signer) -> String {
    let message = format!("{}.{}", text(header.to_string().as_bytes()), text(claims.to_string().as_bytes()));
    let signature = signer.sign(&message);
    format!("{message}.{}", text(&signature))
}
