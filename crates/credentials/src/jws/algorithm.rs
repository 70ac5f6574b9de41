//! The signatures that count. The list is fixed; what a token says of itself only chooses from it, and the key has to agree.

use ring::signature::{self, RsaParameters, UnparsedPublicKey, VerificationAlgorithm};

use crate::jws::public_key::PublicKey;

/// A signature that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsAlgorithm {
    /// RSA with PKCS #1 1.5 and SHA-256.
    Rs256,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// ECDSA over P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl JwsAlgorithm {
    /// RFC 7518 section 3.1, RFC 8037, RFC 9864; nothing else, so neither `none` nor one with a shared secret.
    pub fn named(name: &str) -> Option<JwsAlgorithm> {
        // The newer name of the one signature that is meant by `EdDSA` here.
        let name = if name == "Ed25519" { JwsAlgorithm::EdDsa.name() } else { name };
        [JwsAlgorithm::Rs256, JwsAlgorithm::Ps256, JwsAlgorithm::Es256, JwsAlgorithm::Es384, JwsAlgorithm::EdDsa]
            .into_iter()
            .find(|known| known.name() == name)
    }

    /// `RS256`, `PS256`, `ES256`, `ES384` or `EdDSA`.
    pub fn name(self) -> &'static str {
        match self {
            JwsAlgorithm::Rs256 => "RS256",
            JwsAlgorithm::Ps256 => "PS256",
            JwsAlgorithm::Es256 => "ES256",
            JwsAlgorithm::Es384 => "ES384",
            JwsAlgorithm::EdDsa => "EdDSA",
        }
    }

    /// Whether a key of this kind is one for it.
    pub fn fits(self, key: &PublicKey) -> bool {
        matches!(
            (self, key),
            (JwsAlgorithm::Rs256 | JwsAlgorithm::Ps256, PublicKey::Rsa { .. })
                | (JwsAlgorithm::Es256, PublicKey::P256(_))
                | (JwsAlgorithm::Es384, PublicKey::P384(_))
                | (JwsAlgorithm::EdDsa, PublicKey::Ed25519(_))
        )
    }

    /// Whether the signature holds.
    pub fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let plain = |algorithm: &'static dyn VerificationAlgorithm, point: &[u8]| {
            UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
        };
        let rsa = |parameters: &RsaParameters, modulus: &[u8], exponent: &[u8]| {
            signature::RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
        };
        match (self, key) {
            (JwsAlgorithm::Rs256, PublicKey::Rsa { modulus, exponent }) => rsa(&signature::RSA_PKCS1_2048_8192_SHA256, modulus, exponent),
            (JwsAlgorithm::Ps256, PublicKey::Rsa { modulus, exponent }) => rsa(&signature::RSA_PSS_2048_8192_SHA256, modulus, exponent),
            (JwsAlgorithm::Es256, PublicKey::P256(point)) => plain(&signature::ECDSA_P256_SHA256_FIXED, point),
            (JwsAlgorithm::Es384, PublicKey::P384(point)) => plain(&signature::ECDSA_P384_SHA384_FIXED, point),
            (JwsAlgorithm::EdDsa, PublicKey::Ed25519(point)) => plain(&signature::ED25519, point),
            _ => false,
        }
    }
}
