//! A provider's keys (RFC 7517): those that can verify a signature that counts. The rest are passed over: a provider may have keys for other things.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use crate::providers::error::{ProviderError, malformed, short};

/// More keys than anybody has.
const MOST_KEYS: usize = 100;

/// All keys that can be used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Vec<Key>);

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: Option<String>,
    /// What it says that it is for.
    pub(crate) algorithm: Option<String>,
    pub(crate) material: Material,
}

/// What a signature is verified with.
#[derive(Clone, Debug)]
pub(crate) enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    pub(crate) fn read(body: &[u8]) -> Result<Keys, ProviderError> {
        let malformed = |why: String| malformed("set of keys", &why);
        let document: Document = serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
        if document.keys.len() > MOST_KEYS {
            return Err(malformed(format!("it has {} keys", document.keys.len())));
        }
        let written = document.keys.into_iter().filter_map(|key| serde_json::from_value::<Written>(key).ok());
        Ok(Keys(written.filter_map(Key::new).collect()))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key that a token names; without a name, the only one that fits.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, ProviderError> {
        let Some(id) = id else {
            let mut fitting = self.0.iter().filter(|key| algorithm.fits(key));
            return match (fitting.next(), fitting.next()) {
                (Some(key), None) => Ok(key),
                (None, _) => Err(ProviderError::UnknownKey(String::new())),
                (Some(_), Some(_)) => Err(ProviderError::KeyNotNamed),
            };
        };
        let short = || short(id);
        let mut named = self.0.iter().filter(|key| key.id.as_deref() == Some(id));
        match (named.next(), named.next()) {
            (None, _) => Err(ProviderError::UnknownKey(short())),
            (Some(_), Some(_)) => Err(ProviderError::AmbiguousKey(short())),
            (Some(key), None) if algorithm.fits(key) => Ok(key),
            (Some(_), None) => Err(ProviderError::WrongKey(short())),
        }
    }
}

impl Key {
    /// `None`: not for signatures, or none that counts here.
    fn new(written: Written) -> Option<Key> {
        let for_signatures = written.usage.as_deref().is_none_or(|usage| usage == "sig")
            && written.key_ops.is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !for_signatures {
            return None;
        }
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let coordinate = |text: &Option<String>, length: usize| bytes(text).filter(|bytes| bytes.len() == length);
        let point = |length: usize| {
            let mut point = vec![4];
            point.extend(coordinate(&written.x, length)?);
            point.extend(coordinate(&written.y, length)?);
            Some(point)
        };
        let material = match (written.kty.as_str(), written.crv.as_deref()) {
            ("RSA", _) => {
                let (modulus, exponent) = (without_zeros(bytes(&written.n)?), without_zeros(bytes(&written.e)?));
                // What ring verifies with: 2048 to 8192 bits.
                let usable = (256..=1024).contains(&modulus.len()) && (1..=4).contains(&exponent.len());
                usable.then_some(Material::Rsa { modulus, exponent })?
            }
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(coordinate(&written.x, 32)?),
            _ => return None,
        };
        Some(Key { id: written.kid, algorithm: written.alg, material })
    }
}

/// Some write a zero in front.
fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}
