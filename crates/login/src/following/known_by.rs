//! By what the people of a provider are known: never by two things, because one person's `oid` could be another one's `sub`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::error::LoginError;
use crate::login::Login;
use crate::providers::error::ProviderError;
use crate::providers::provider::ConfiguredProvider;
use crate::providers::sign_in::ProviderSignInError;

/// Providers that are configured as they were when their first person signed in. That never changes, so it is asked once.
#[derive(Default)]
pub(crate) struct CheckedProviders(Mutex<HashSet<String>>);

impl CheckedProviders {
    fn has(&self, provider: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(provider)
    }

    fn add(&self, provider: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(provider.to_owned());
    }
}

impl Login {
    /// Keeps by what people of the provider are known, before the first of them is written; an error where it was something else until now.
    pub(crate) async fn keep_known_by(&self, provider: &ConfiguredProvider) -> Result<(), ProviderSignInError> {
        if self.checked_providers.has(&provider.name) {
            return Ok(());
        }
        let configured = provider.kind.known_by();
        let kept = self.store.note_known_by(&provider.name, &configured, &provider.kind.known_by_before()).await;
        Ok(self.check_same(provider, configured, kept.map_err(|error| self.store_error(error))?)?)
    }

    /// The same of people who are there already.
    pub(crate) async fn check_known_by(&self, provider: &ConfiguredProvider) -> Result<Result<(), ProviderError>, LoginError> {
        if self.checked_providers.has(&provider.name) {
            return Ok(Ok(()));
        }
        let kept = self.store.known_by(&provider.name).await.map_err(|error| self.read_error(error))?;
        Ok(self.check_same(provider, provider.kind.known_by(), kept.unwrap_or_else(|| provider.kind.known_by_before())))
    }

    fn check_same(&self, provider: &ConfiguredProvider, configured: String, kept: String) -> Result<(), ProviderError> {
        if kept != configured {
            return Err(ProviderError::KnownByOther { kept, configured });
        }
        self.checked_providers.add(&provider.name);
        Ok(())
    }
}
