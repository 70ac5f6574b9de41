//! How often providers and directories were asked about people without them, since this process began, and what came of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::refresh::{RefreshError, Refreshment};
use crate::login::Login;
use crate::providers::error::Fault;

/// What came of asking about one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefreshEnd {
    /// They are there; or the directory said that it knows nobody like that.
    Answered,
    /// The provider says that they are gone: the identity has ended.
    Gone,
    /// The provider takes no more what it gave for asking; the person has to sign in again.
    Refused,
    /// It gave no answer.
    Away,
    /// It answered what it must not answer, or this server could not write it.
    Failed,
}

impl RefreshEnd {
    /// All of them.
    pub const ALL: [RefreshEnd; 5] = [RefreshEnd::Answered, RefreshEnd::Gone, RefreshEnd::Refused, RefreshEnd::Away, RefreshEnd::Failed];
}

/// Of one provider or directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefreshFigures {
    /// How often by what came of it.
    pub ends: BTreeMap<RefreshEnd, u64>,
    /// When it answered last; milliseconds since 1970.
    pub answered_ms: Option<i64>,
}

/// By the names that are configured.
#[derive(Default)]
pub(crate) struct Refreshes(Mutex<BTreeMap<String, RefreshFigures>>);

impl Refreshes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, RefreshFigures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, name: &str, end: RefreshEnd, now_ms: i64) {
        let mut all = self.lock();
        let figures = all.entry(name.to_owned()).or_default();
        *figures.ends.entry(end).or_default() += 1;
        if matches!(end, RefreshEnd::Answered | RefreshEnd::Gone) {
            figures.answered_ms = Some(now_ms);
        }
    }
}

impl RefreshEnd {
    /// `None`: the provider was not asked.
    pub(crate) fn of(outcome: &Result<Refreshment, RefreshError>) -> Option<RefreshEnd> {
        match outcome {
            Ok(Refreshment::Still { .. }) => Some(RefreshEnd::Answered),
            Ok(Refreshment::Gone) => Some(RefreshEnd::Gone),
            Ok(Refreshment::Refused) => Some(RefreshEnd::Refused),
            Ok(Refreshment::AdditionsOnly) | Err(RefreshError::Unknown | RefreshError::Busy | RefreshError::NeverAsked(_)) => None,
            Err(RefreshError::Provider(error)) if error.fault() == Fault::Away => Some(RefreshEnd::Away),
            Err(RefreshError::Provider(_) | RefreshError::Login(_)) => Some(RefreshEnd::Failed),
        }
    }
}

impl Login {
    /// The figures of every provider and directory that is configured, by its name.
    pub fn refresh_figures(&self) -> Vec<(&str, RefreshFigures)> {
        let providers = self.settings.providers.iter().map(|provider| provider.name.as_str());
        let names = providers.chain(self.settings.directories.iter().map(|directory| directory.name.as_str()));
        let all = self.refreshes.lock();
        names.map(|name| (name, all.get(name).cloned().unwrap_or_default())).collect()
    }
}
