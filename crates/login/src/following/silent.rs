//! Who gave no answer a short while ago. Nobody waits for them, and the places of a round are for others.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Whoever gave no answer is left alone for so long, in milliseconds.
pub(crate) const SILENT_MS: i64 = 30_000;
/// A sign-in waits so long for all directories that only authorize, together.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// For whom a provider or a directory is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Somebody waits in front of a browser: a short time, and not for one that was silent just now.
    SignIn,
    /// A round over many people: none of them waits for one that was silent just now.
    Round,
    /// Somebody who wants to know it at once: it is asked, and has the time that it always has.
    Command,
}

/// By the names of providers and directories: until when they are left alone. Names are of the configuration, so that there are few.
#[derive(Default)]
pub(crate) struct SilentProviders(Mutex<BTreeMap<String, i64>>);

impl SilentProviders {
    /// Whether this one is left alone by whoever asks.
    pub(crate) fn has(&self, name: &str, asker: Asker, now_ms: i64) -> bool {
        let silent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back makes nobody silent for longer.
        let left_alone =
            silent.get(name).is_some_and(|until_ms| (0..SILENT_MS).contains(&until_ms.saturating_sub(now_ms).saturating_sub(1)));
        asker != Asker::Command && left_alone
    }

    /// Whether it has answered.
    pub(crate) fn note(&self, name: &str, answered: bool, now_ms: i64) {
        let mut silent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            silent.remove(name);
        } else {
            silent.insert(name.to_owned(), now_ms.saturating_add(SILENT_MS));
        }
    }
}
