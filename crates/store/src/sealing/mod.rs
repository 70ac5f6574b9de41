//! Sealing: the ring of keys that seals the secret columns, the file that it is read from, how backends use it, rows that do not open, and text
//! that must not leak.

mod damaged;
mod error;
mod key_file;
mod keyring;
mod sealer;
mod secret;

pub use damaged::{Damaged, SealedKind, refuse_if_nothing_opens};
pub use error::KeyFileError;
pub use keyring::{KeyRing, OpenError, Place};
pub use sealer::{KeySource, Randomness, Refreshed, Sealer, open_with};
pub use secret::Secret;
