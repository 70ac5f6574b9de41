//! The record of an identity, made of what a provider says.

use falconer_auth::{HOUR_MS, MINUTE_MS, Occasion};
use falconer_store::{IdentityRecord, RefreshRecord, Secret};
use zeroize::Zeroizing;

use super::additions::Added;
use super::refresh::PROVIDERS;
use super::silent::Asker;
use crate::error::LoginError;
use crate::login::Login;
use crate::providers::error::ProviderError;
use crate::providers::mapping::{MOST_GROUPS, Mapped};
use crate::providers::provider::{Attributes, ConfiguredProvider, Found};
use crate::providers::sign_in::ProviderSignInError;

impl Login {
    /// Writes who has just signed in, and when to ask about them again. Answers the identity.
    pub(crate) async fn record_sign_in(&self, provider: &ConfiguredProvider, found: &Found) -> Result<String, ProviderSignInError> {
        let mut record = self.record_of(provider, &found.attributes)?;
        let known = self.auth.directory().identity(&record.identity).map(|known| known.record.clone());
        let (gone, before) = known.map(|known| (known.gone, known.additions)).unwrap_or_default();
        let mut said = self.pushed_standing_at_sign_in(provider, &found.attributes.subject, gone).await??;
        self.keep_known_by(provider).await?;
        let Added { additions, complete } = self.additions_to(&record, &before, Asker::SignIn).await;
        record.additions = additions;
        loop {
            let mut attributes = found.attributes.clone();
            self.put_pushed_groups(provider, &said, &mut attributes);
            let record = IdentityRecord { additions: record.additions.clone(), ..self.record_of(provider, &attributes)? };
            // Whoever was disabled here stays so.
            self.auth.refresh_identity(&record.identity, &record, Occasion::SignIn).await.map_err(LoginError::from)?;
            // What the directory says meanwhile is newer than what was just written.
            let now_said = match self.pushed_standing_at_sign_in(provider, &found.attributes.subject, false).await? {
                Ok(now_said) => now_said,
                Err(error) => {
                    self.end_gone(PROVIDERS, &record.identity).await?;
                    return Err(error.into());
                }
            };
            if now_said.changes() == said.changes() {
                break;
            }
            said = now_said;
        }
        self.schedule(provider, &record.identity, found.handle.as_ref(), complete).await?;
        Ok(record.identity)
    }

    /// What the provider's words come to, without additions.
    pub(crate) fn record_of(&self, provider: &ConfiguredProvider, attributes: &Attributes) -> Result<IdentityRecord, ProviderError> {
        let mapped = provider.mapping.map(&provider.name, attributes);
        check_groups(&mapped)?;
        log_refused(&mapped);
        Ok(IdentityRecord {
            identity: mapped.identity,
            person: self.new_person_id(),
            provider: provider.name.clone(),
            subject: attributes.subject.clone(),
            display_name: attributes.display_name.clone(),
            email_verified: mapped.email.is_some(),
            email: mapped.email.or_else(|| attributes.email.clone()),
            username: attributes.username.clone(),
            groups: mapped.groups,
            scopes: mapped.scopes,
            additions: Vec::new(),
            refreshed_ms: self.now_ms(),
            disabled: false,
            gone: false,
        })
    }

    /// Notes when somebody is due again: after the shortest interval of all who are asked about them, and soon where one of them gave no answer.
    pub(crate) async fn schedule(
        &self,
        provider: &ConfiguredProvider,
        identity: &str,
        handle: Option<&Zeroizing<String>>,
        complete: bool,
    ) -> Result<(), LoginError> {
        let interval_ms = self.interval_ms(provider);
        let interval_ms = if complete { interval_ms } else { Some(interval_ms.map_or(MINUTE_MS, soon_ms)) };
        let kept = match interval_ms {
            Some(interval_ms) => {
                let handle = handle.filter(|_| provider.refresh_ms.is_some()).map(|handle| Secret::new(handle.as_str()));
                let due_ms = self.now_ms().saturating_add(interval_ms);
                self.store.put_refresh(&RefreshRecord { identity: identity.to_owned(), handle, due_ms }).await
            }
            None => self.store.delete_refresh(identity).await,
        };
        kept.map_err(|error| self.store_error(error))
    }

    /// How often somebody of this provider is asked about; `None`: only when they sign in.
    pub(crate) fn interval_ms(&self, provider: &ConfiguredProvider) -> Option<i64> {
        let directories = self.settings.directories.iter().filter_map(|directory| directory.refresh_ms);
        provider.refresh_ms.into_iter().chain(directories).min()
    }
}

/// When somebody is asked about again of whom nothing was heard.
pub(crate) fn soon_ms(interval_ms: i64) -> i64 {
    (interval_ms / 10).clamp(MINUTE_MS, HOUR_MS).min(interval_ms)
}

pub(crate) fn check_groups(mapped: &Mapped) -> Result<(), ProviderError> {
    if mapped.groups.len() > MOST_GROUPS { Err(ProviderError::TooManyGroups(MOST_GROUPS)) } else { Ok(()) }
}

/// Says what gives nothing because no scope can hold it.
pub(crate) fn log_refused(mapped: &Mapped) {
    for refused in &mapped.refused {
        tracing::warn!(
            identity = %mapped.identity,
            template = %refused.template,
            attribute = refused.attribute,
            value = ?refused.value,
            "a provider's value gives no scope: {}", refused.why
        );
    }
}
