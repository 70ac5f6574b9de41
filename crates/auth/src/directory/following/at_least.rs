//! Waiting until the directory has come to a revision (`Falconer-At-Least`).

use std::str::FromStr;

use falconer_store::{Epoch, History, Revision, StoreError};

use crate::error::ApiError;
use crate::node::Auth;

/// A revision, and the history that it belongs to where the caller knows it. As text `17` or `9f86d081884c7d65-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLeast {
    /// `None`: of the only history that there has been, or from before the backup that was restored.
    pub epoch: Option<Epoch>,
    /// Not negative.
    pub revision: Revision,
}

/// Text that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a revision such as 17, or with its epoch such as 9f86d081884c7d65-17")]
pub struct NotARevision;

impl AtLeast {
    /// The same as text: without the epoch as long as there has been but one history.
    pub fn text(history: History, revision: Revision) -> String {
        if history.start > Revision(0) { format!("{}-{}", history.epoch, revision.0) } else { revision.0.to_string() }
    }
}

impl FromStr for AtLeast {
    type Err = NotARevision;

    fn from_str(text: &str) -> Result<AtLeast, NotARevision> {
        let (epoch, digits) = match text.split_once('-') {
            Some((epoch, digits)) => (Some(epoch.parse().map_err(|_| NotARevision)?), digits),
            None => (None, text),
        };
        let fine = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let revision = digits.parse().ok().filter(|_| fine).map(Revision).ok_or(NotARevision)?;
        Ok(AtLeast { epoch, revision })
    }
}

/// What came of waiting.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitOutcome {
    /// The directory is at that revision or later.
    Reached,
    /// The revision belongs to another history of the database, or to another database: it will never be reached.
    OtherHistory,
    /// The store could not be asked which of the two it is.
    NotKnown(ApiError),
    /// Too many wait already.
    TooMany,
}

impl Auth {
    /// Whether this node answers from `wanted` or later, without a look at the store.
    pub fn has_reached(&self, wanted: AtLeast) -> bool {
        self.awaited(wanted) == Some(WaitOutcome::Reached)
    }

    fn awaited(&self, wanted: AtLeast) -> Option<WaitOutcome> {
        let shown = self.node.directory.load();
        let History { epoch, start } = shown.history();
        match wanted.epoch {
            Some(wanted) if wanted != epoch => Some(WaitOutcome::OtherHistory),
            // From a backup on there is more than one revision of that number.
            None if start > Revision(0) && wanted.revision > start => Some(WaitOutcome::OtherHistory),
            _ => (shown.revision() >= wanted.revision).then_some(WaitOutcome::Reached),
        }
    }

    /// Waits until this node answers from `wanted` or later: after one look at the store, which is shared with all who wait, only for the directory
    /// to move. Whoever calls it bounds the time.
    pub async fn wait_for(&self, wanted: AtLeast) -> WaitOutcome {
        let outcome = || self.awaited(wanted);
        let mut moved = self.node.moved.subscribe();
        if outcome() == Some(WaitOutcome::Reached) {
            return WaitOutcome::Reached;
        }
        let Ok(_place) = self.node.waiting.try_acquire() else { return WaitOutcome::TooMany };
        match (self.catch_up().await, outcome()) {
            (Ok(_), _) | (_, Some(WaitOutcome::Reached)) => {}
            // Of this history there may be more in a moment.
            (Err(error @ StoreError::Unavailable(_)), None) => {
                tracing::debug!(%error, "the store does not answer; it may come back while somebody waits for a revision");
            }
            // A history that this node does not know may be the one that the store is in by now.
            (Err(error), _) => return WaitOutcome::NotKnown(ApiError::of_store(error)),
        }
        loop {
            if let Some(outcome) = outcome() {
                return outcome;
            }
            if moved.changed().await.is_err() {
                return WaitOutcome::TooMany;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_comes_with_or_without_its_epoch() {
        let epoch = "9f86d081884c7d65".parse().unwrap();
        assert_eq!("17".parse(), Ok(AtLeast { epoch: None, revision: Revision(17) }));
        assert_eq!("9f86d081884c7d65-17".parse(), Ok(AtLeast { epoch: Some(epoch), revision: Revision(17) }));
        for text in ["", "-1", "-", "+1", "a", "1-1", "9f86d081884c7d65-", "9f86d081884c7d65", "99999999999999999999"] {
            assert_eq!(text.parse::<AtLeast>(), Err(NotARevision), "{text}");
        }
    }
}
