//! The signatures that count. The list is fixed; what a token says of itself only chooses from it, and the key has to agree.

use ring::digest;
use ring::signature::{self, RsaParameters, UnparsedPublicKey, VerificationAlgorithm};

use super::keys::{Key, Material};

/// A signature that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// RFC 7518 section 3.1, RFC 8037; nothing else, so neither `none` nor one with a shared secret.
    pub(crate) fn named(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            "ES256" => Some(Algorithm::Es256),
            "ES384" => Some(Algorithm::Es384),
            "EdDSA" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Ps256 => "PS256",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// Whether a key is made for it.
    pub(crate) fn fits(self, key: &Key) -> bool {
        let said = key.algorithm.as_deref().is_none_or(|said| said == self.name() || (self == Algorithm::EdDsa && said == "Ed25519"));
        said && matches!(
            (self, &key.material),
            (Algorithm::Rs256 | Algorithm::Ps256, Material::Rsa { .. })
                | (Algorithm::Es256, Material::P256(_))
                | (Algorithm::Es384, Material::P384(_))
                | (Algorithm::EdDsa, Material::Ed25519(_))
        )
    }

    /// Whether the signature holds.
    pub(crate) fn verify(self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        let plain = |algorithm: &'static dyn VerificationAlgorithm, point: &[u8]| {
            UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
        };
        let rsa = |parameters: &RsaParameters, modulus: &[u8], exponent: &[u8]| {
            signature::RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
        };
        match (self, &key.material) {
            (Algorithm::Rs256, Material::Rsa { modulus, exponent }) => rsa(&signature::RSA_PKCS1_2048_8192_SHA256, modulus, exponent),
            (Algorithm::Ps256, Material::Rsa { modulus, exponent }) => rsa(&signature::RSA_PSS_2048_8192_SHA256, modulus, exponent),
            (Algorithm::Es256, Material::P256(point)) => plain(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Algorithm::Es384, Material::P384(point)) => plain(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Algorithm::EdDsa, Material::Ed25519(point)) => plain(&signature::ED25519, point),
            _ => false,
        }
    }

    /// The left half of the hash that goes with the signature: what `at_hash` holds (OpenID Connect Core 3.1.3.6).
    pub(crate) fn half_hash(self, text: &str) -> Vec<u8> {
        let algorithm = match self {
            Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &digest::SHA256,
            Algorithm::Es384 => &digest::SHA384,
            Algorithm::EdDsa => &digest::SHA512,
        };
        let hash = digest::digest(algorithm, text.as_bytes());
        let half = hash.as_ref().len() / 2;
        hash.as_ref().iter().take(half).copied().collect()
    }
}
