use std::fmt;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A secret text in a file of its own: 43 letters that stand for 256 bits. No key in `Debug`.
#[derive(Clone)]
pub struct Key(Zeroizing<String>);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key file {0} can't be read or made: {1}")]
    File(String, std::io::Error),
    /// The file holds something else.
    #[error("the key file {0} does not hold a key: it needs at least 43 characters on one line, such as `openssl rand -base64 48` prints")]
    Content(String),
    /// No randomness.
    #[error("{0}")]
    Random(#[from] falconer_client::Error),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// Reads a key, or makes one that only this user can read where there is no such file.
    pub fn read_or_make(file: &Path) -> Result<Key, KeyError> {
        let shown = || file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                Key::of(text.trim()).ok_or_else(|| KeyError::Content(shown()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = Zeroizing::new(URL_SAFE_NO_PAD.encode(falconer_client::system::random::<32>()?));
                write_private(file, &key).map_err(|error| KeyError::File(shown(), error))?;
                Ok(Key(key))
            }
            Err(error) => Err(KeyError::File(shown(), error)),
        }
    }

    /// From its text. `None` for one that is short or has white space in it.
    #[must_use]
    pub fn of(text: &str) -> Option<Key> {
        (text.len() >= 43 && !text.contains(char::is_whitespace)).then(|| Key(Zeroizing::new(text.to_owned())))
    }

    /// HMAC-SHA256 of a text.
    pub(crate) fn mac(&self, text: &[u8]) -> [u8; 32] {
        match Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) {
            Ok(mut mac) => {
                mac.update(text);
                mac.finalize().into_bytes().into()
            }
            // HMAC takes keys of every length.
            Err(_) => [0; 32],
        }
    }

    /// Another key, for one purpose.
    pub(crate) fn derived(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.mac(purpose.as_bytes()))
    }
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut created = options.open(file)?;
    created.write_all(text.as_bytes())?;
    created.write_all(b"\n")?;
    created.sync_all()
}
