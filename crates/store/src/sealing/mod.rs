//! Sealing: the ring of keys that seals the secret columns, the file that it is read from, how backends use it, and text that must not leak.

mod error;
mod key_file;
mod keyring;
mod sealer;
mod secret;

pub use error::KeyFileError;
pub use keyring::{KeyRing, OpenError, Place};
pub use sealer::{Randomness, Sealer, open_with};
pub use secret::Secret;
