//! The public key of a passkey: a COSE_Key (RFC 9052, section 7; RFC 9053; RFC 8230 for RSA), and the three algorithms that count.

use ciborium::Value;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

use super::authenticator_data::cbor;
use super::error::{PasskeyError, malformed};

/// The algorithms that are offered, best first (the IANA registry of COSE): ES256, EdDSA, RS256.
pub(super) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// A key of one of [`ALGORITHMS`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// As the authenticator wrote it.
    pub(super) written: Vec<u8>,
    material: Material,
}

#[derive(Debug, PartialEq, Eq)]
enum Material {
    /// An uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

impl PublicKey {
    /// A key that was kept.
    pub(super) fn read(written: &[u8]) -> Result<PublicKey, PasskeyError> {
        let mut rest = written;
        let key = cbor("key", &mut rest)?;
        if !rest.is_empty() {
            return Err(malformed("key", "something follows it"));
        }
        PublicKey::of_cbor(&key, written)
    }

    /// Each parameter once, the type of the key and its curve as the algorithm has them, each number as long as it is there.
    pub(super) fn of_cbor(key: &Value, written: &[u8]) -> Result<PublicKey, PasskeyError> {
        let Value::Map(members) = key else { return Err(malformed("key", "it is no map")) };
        let label = |name: &Value| name.as_integer().and_then(|label| i64::try_from(label).ok());
        let member = |wanted: i64| {
            let mut found = members.iter().filter(|(name, _)| label(name) == Some(wanted)).map(|(_, value)| value);
            match (found.next(), found.next()) {
                (Some(value), None) => Ok(value),
                (None, _) => Err(PasskeyError::WrongKey("a parameter is missing")),
                (Some(_), Some(_)) => Err(PasskeyError::WrongKey("a parameter is there twice")),
            }
        };
        let number = |wanted: i64| {
            let value = member(wanted)?.as_integer().and_then(|value| i64::try_from(value).ok());
            value.ok_or(PasskeyError::WrongKey("a parameter is no number"))
        };
        let bytes = |wanted: i64, length: std::ops::RangeInclusive<usize>| {
            let value = member(wanted)?.as_bytes().filter(|value| length.contains(&value.len()));
            value.cloned().ok_or(PasskeyError::WrongKey("a parameter has another length"))
        };
        let is = |wanted: i64, value: i64| {
            if number(wanted)? == value { Ok(()) } else { Err(PasskeyError::WrongKey("it is of another type or curve")) }
        };
        let material = match number(3)? {
            ES256 => {
                is(1, 2)?;
                is(-1, 1)?;
                Material::P256([vec![4], bytes(-2, 32..=32)?, bytes(-3, 32..=32)?].concat())
            }
            EDDSA => {
                is(1, 1)?;
                is(-1, 6)?;
                Material::Ed25519(bytes(-2, 32..=32)?)
            }
            RS256 => {
                is(1, 3)?;
                // 2048 to 8192 bits; ring looks again.
                Material::Rsa { modulus: bytes(-1, 256..=1024)?, exponent: bytes(-2, 1..=8)? }
            }
            other => return Err(PasskeyError::UnknownAlgorithm(other)),
        };
        Ok(PublicKey { written: written.to_vec(), material })
    }

    /// Whether the signature holds (Web Authentication, section 6.5.5: signatures of ECDSA are ASN.1).
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::P256(point) => UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok(),
            Material::Ed25519(point) => UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature).is_ok(),
            Material::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
        }
    }
}
