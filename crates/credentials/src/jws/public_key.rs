//! A public key as a JWK writes it (RFC 7517, RFC 7518 section 6, RFC 8037), and its thumbprint (RFC 7638).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Longest modulus in bytes of a key that strangers choose.
const LONGEST_MODULUS: usize = 512;

/// What a signature is verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Both without zeros in front; 2048 to 8192 bits.
    Rsa {
        /// `n`
        modulus: Vec<u8>,
        /// `e`
        exponent: Vec<u8>,
    },
    /// An uncompressed point, which begins with a 4.
    P256(Vec<u8>),
    /// The same.
    P384(Vec<u8>),
    /// 32 bytes.
    Ed25519(Vec<u8>),
}

/// The members of a JWK that say which key it is. Numbers are base64url without padding.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct JwkMembers {
    /// `RSA`, `EC` or `OKP`.
    pub kty: String,
    /// Of `EC` and `OKP`.
    pub crv: Option<String>,
    /// Of `EC` and `OKP`.
    pub x: Option<String>,
    /// Of `EC`.
    pub y: Option<String>,
    /// Of `RSA`.
    pub n: Option<String>,
    /// Of `RSA`.
    pub e: Option<String>,
}

/// SHA-256 over the members of a key in their one spelling (RFC 7638): what stands for a key. `Display` is base64url, 43 characters, as `jkt` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyThumbprint(pub [u8; 32]);

impl PublicKey {
    /// `None`: a key that no signature that counts is verified with.
    pub fn read(members: &JwkMembers) -> Option<PublicKey> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let coordinate = |text: &Option<String>, length: usize| bytes(text).filter(|bytes| bytes.len() == length);
        let point = |length: usize| {
            let mut point = vec![4];
            point.extend(coordinate(&members.x, length)?);
            point.extend(coordinate(&members.y, length)?);
            Some(point)
        };
        match (members.kty.as_str(), members.crv.as_deref()) {
            ("RSA", _) => {
                let (modulus, exponent) = (without_zeros(bytes(&members.n)?), without_zeros(bytes(&members.e)?));
                // What ring verifies with: 2048 to 8192 bits.
                let usable = (256..=1024).contains(&modulus.len()) && (1..=4).contains(&exponent.len());
                usable.then_some(PublicKey::Rsa { modulus, exponent })
            }
            ("EC", Some("P-256")) => Some(PublicKey::P256(point(32)?)),
            ("EC", Some("P-384")) => Some(PublicKey::P384(point(48)?)),
            ("OKP", Some("Ed25519")) => Some(PublicKey::Ed25519(coordinate(&members.x, 32)?)),
            _ => None,
        }
    }

    /// Whether signatures of it are verified in a bounded time: the larger a modulus is, the longer it takes.
    pub(crate) fn is_small(&self) -> bool {
        match self {
            PublicKey::Rsa { modulus, .. } => modulus.len() <= LONGEST_MODULUS,
            PublicKey::P256(_) | PublicKey::P384(_) | PublicKey::Ed25519(_) => true,
        }
    }

    /// What stands for it.
    pub fn thumbprint(&self) -> KeyThumbprint {
        KeyThumbprint(Sha256::digest(self.canonical()).into())
    }

    /// Its members in their one spelling, as JSON (RFC 7638 section 3).
    pub(crate) fn canonical(&self) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = |curve: &str, point: &[u8]| {
            let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
            format!(r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
        };
        match self {
            PublicKey::Rsa { modulus, exponent } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(exponent), text(modulus)),
            PublicKey::P256(bytes) => point("P-256", bytes),
            PublicKey::P384(bytes) => point("P-384", bytes),
            PublicKey::Ed25519(bytes) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(bytes)),
        }
    }
}

impl KeyThumbprint {
    /// Reads what [`fmt::Display`] writes.
    pub fn read(text: &str) -> Option<KeyThumbprint> {
        let mut bytes = [0; 32];
        // The decoder wants room for a byte more than comes of 43 characters.
        let mut room = [0; 33];
        if text.len() != 43 || URL_SAFE_NO_PAD.decode_slice(text, &mut room) != Ok(bytes.len()) {
            return None;
        }
        bytes.copy_from_slice(room.get(..32)?);
        Some(KeyThumbprint(bytes))
    }
}

impl fmt::Display for KeyThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// Some write a zero in front.
fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 section 3.1, RFC 8037 appendix A.3, RFC 9449 section 6.1.
    #[test]
    fn thumbprints_are_those_of_the_specifications() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = |json: String| PublicKey::read(&serde_json::from_str(&json).unwrap()).unwrap();
        let rsa = key(format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}"#));
        assert_eq!(rsa.thumbprint().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let ed = key(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#.to_owned());
        assert_eq!(ed.thumbprint().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let ec = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
        let ec = key(ec.to_owned());
        assert_eq!(ec.thumbprint().to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(KeyThumbprint::read("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"), Some(ec.thumbprint()));
        for other in [
            "",
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4",
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J",
            "+ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ] {
            assert_eq!(KeyThumbprint::read(other), None, "{other}");
        }
    }
}
