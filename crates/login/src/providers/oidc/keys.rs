//! A provider's keys (RFC 7517): those that can verify a signature that counts. The rest are passed over: a provider may have keys for other things.

use falconer_auth::{JwkMembers, JwsAlgorithm, PublicKey};
use serde::Deserialize;
use serde_json::Value;

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
    pub(crate) public: PublicKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(flatten)]
    public: JwkMembers,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
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
    pub(crate) fn find(&self, id: Option<&str>, algorithm: JwsAlgorithm) -> Result<&Key, ProviderError> {
        let Some(id) = id else {
            let mut fitting = self.0.iter().filter(|key| key.is_for(algorithm));
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
            (Some(key), None) if key.is_for(algorithm) => Ok(key),
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
        Some(Key { id: written.kid, algorithm: written.alg, public: PublicKey::read(&written.public)? })
    }

    /// Whether a signature of this kind can be its own.
    fn is_for(&self, algorithm: JwsAlgorithm) -> bool {
        let said = self.algorithm.as_deref();
        let fits = said.is_none_or(|said| JwsAlgorithm::named(said) == Some(algorithm));
        fits && algorithm.fits(&self.public)
    }
}
