//! Asking about one person without them, and what follows.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use falconer_auth::{HOUR_MS, MINUTE_MS, Occasion};
use falconer_store::{IdentityRecord, RefreshRecord, Secret};
use thiserror::Error;
use zeroize::Zeroizing;

use super::additions::Added;
use super::figures::RefreshEnd;
use super::record::soon_ms;
use super::silent::Asker;
use crate::error::LoginError;
use crate::login::Login;
use crate::providers::error::{Fault, ProviderError};
use crate::providers::provider::{ConfiguredProvider, Keeper, Known, Refreshed};

/// So long somebody who is asked about is nobody else's to ask: longer than any provider may take.
const CLAIM_MS: i64 = 5 * MINUTE_MS;

/// Who changes what a provider says when it is asked, in the audit.
pub(crate) const PROVIDERS: &str = "falconer/directories";

/// What became of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshment {
    /// They are there; these clients of theirs had more than they have now, and were disabled.
    Still {
        /// Ascending.
        disabled: Vec<String>,
    },
    /// The provider knows nobody like that any more: the identity, its sessions, grants and clients have ended.
    Gone,
    /// The provider takes no more what it gave for asking: what it said counts no more, and the person has to sign in again.
    Refused,
    /// Only what other directories add was asked.
    AdditionsOnly,
}

/// Why nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RefreshError {
    /// Nobody has the identity, or it is of no provider that is asked.
    #[error("there is nobody of this identity who could be asked about")]
    Unknown,
    /// Somebody else asks about them at this moment, this node or another one.
    #[error("they are being asked about at this moment")]
    Busy,
    /// Its provider is asked about nobody without them: no interval is configured, so that nothing was kept to ask with.
    #[error("the provider {0} has no `refresh`, so that nobody is asked about: what it says counts until the next sign-in")]
    NeverAsked(String),
    /// The provider.
    #[error("{0}")]
    Provider(#[from] ProviderError),
    /// This server.
    #[error("{0}")]
    Login(#[from] LoginError),
}

impl Login {
    /// Asks about one person now.
    pub async fn refresh_person(&self, identity: &str) -> Result<Refreshment, RefreshError> {
        let name = self.auth.directory().identity(identity).map(|known| known.record.provider.clone());
        let provider = name.as_deref().and_then(|name| self.provider(name).ok()).ok_or(RefreshError::Unknown)?;
        let now_ms = self.now_ms();
        let claimed = self.store.claim_refresh(identity, now_ms, now_ms.saturating_add(CLAIM_MS)).await;
        let none = || match self.interval_ms(provider) {
            None => RefreshError::NeverAsked(provider.name.clone()),
            Some(_) => RefreshError::Busy,
        };
        let claimed = claimed.map_err(|error| self.store_error(error))?.ok_or_else(none)?;
        self.refresh_claimed(&claimed, Asker::Command).await
    }

    /// Those who are due, claimed for this node.
    pub(crate) async fn claim_due(&self, limit: u32) -> Result<Vec<RefreshRecord>, LoginError> {
        let now_ms = self.now_ms();
        let due = self.store.claim_due_refreshes(now_ms, now_ms.saturating_add(CLAIM_MS), limit).await;
        due.map_err(|error| self.store_error(error))
    }

    /// Asks about somebody who was claimed, and says when to ask again.
    pub(crate) async fn refresh_claimed(&self, claimed: &RefreshRecord, asker: Asker) -> Result<Refreshment, RefreshError> {
        let known = self.auth.directory().identity(&claimed.identity).map(|known| known.record.provider.clone());
        let outcome = self.ask_claimed(claimed, asker).await;
        if let (Some(end), Some(provider)) = (RefreshEnd::of(&outcome), known.and_then(|name| self.provider(&name).ok())) {
            self.refreshes.note(&provider.name, end, self.now_ms());
        }
        outcome
    }

    async fn ask_claimed(&self, claimed: &RefreshRecord, asker: Asker) -> Result<Refreshment, RefreshError> {
        let identity = claimed.identity.as_str();
        let known = self.auth.directory().identity(identity).map(|known| known.record.clone());
        let provider = known.as_ref().and_then(|known| self.provider(&known.provider).ok());
        let (Some(known), Some(provider)) = (known, provider) else {
            // The provider is configured no longer: what it said ends with its time.
            self.forget_refresh(identity).await?;
            return Err(RefreshError::Unknown);
        };
        let kept = KeptHandle::of(self, claimed);
        let answer = match self.check_known_by(provider).await? {
            Ok(()) if kept.is_sealed() && provider.refresh_ms.is_some() => match self.ask_about(provider, &known, &kept, asker).await {
                // It can't be asked by this node, and by another one it can.
                Ok(Refreshed::CannotBeAsked) => Err(ProviderError::HandleNotOpened),
                answer => answer,
            },
            Ok(()) => self.ask_about(provider, &known, &kept, asker).await,
            Err(error) => Err(error),
        };
        let handle = kept.latest();
        match answer {
            Ok(answer) => self.apply(provider, &known, answer, handle.as_ref(), asker).await,
            Err(error) => {
                // What was known counts for its time. The handle is the last that the provider gave, and is tried again soon.
                let interval_ms = self.interval_ms(provider).unwrap_or(HOUR_MS);
                let due_ms = self.now_ms().saturating_add(soon_ms(interval_ms));
                let handle = handle.map(|handle| Secret::new(handle.as_str()));
                let rescheduled = self.store.put_refresh(&RefreshRecord { identity: identity.to_owned(), handle, due_ms }).await;
                rescheduled.map_err(|error| self.store_error(error))?;
                // What others say does not wait for this one.
                self.add_to(&known, asker).await?;
                Err(error.into())
            }
        }
    }

    async fn ask_about(
        &self,
        provider: &ConfiguredProvider,
        present: &IdentityRecord,
        kept: &KeptHandle<'_>,
        asker: Asker,
    ) -> Result<Refreshed, ProviderError> {
        if provider.refresh_ms.is_none() {
            return Ok(Refreshed::CannotBeAsked);
        }
        if self.silent.has(&provider.name, asker, self.now_ms()) {
            return Err(ProviderError::Silent);
        }
        let handle = kept.latest();
        let known = Known {
            subject: &present.subject,
            username: present.username.as_deref(),
            email: present.email.as_deref().filter(|_| present.email_verified),
            handle: handle.as_ref().filter(|_| !kept.is_sealed()).map(|handle| handle.as_str()),
        };
        let answer = provider.kind.refresh(&known, kept, self.now_ms()).await;
        let answered = !matches!(&answer, Err(error) if error.fault() == Fault::Away);
        self.silent.note(&provider.name, answered, self.now_ms());
        answer
    }

    async fn apply(
        &self,
        provider: &ConfiguredProvider,
        present: &IdentityRecord,
        answer: Refreshed,
        handle: Option<&Zeroizing<String>>,
        asker: Asker,
    ) -> Result<Refreshment, RefreshError> {
        let identity = present.identity.as_str();
        match answer {
            Refreshed::Still(found) => {
                // First: a handle that works once would be lost if what follows fails.
                self.schedule(provider, identity, found.handle.as_ref(), true).await?;
                let mut attributes = found.attributes;
                let said = match self.pushed_standing_of(provider, &attributes.subject).await? {
                    Some(said) => said,
                    None => {
                        self.end_gone(PROVIDERS, identity).await?;
                        return Ok(Refreshment::Gone);
                    }
                };
                self.put_pushed_groups(provider, &said, &mut attributes);
                let mut record = self.record_of(provider, &attributes)?;
                if record.identity != identity {
                    return Err(ProviderError::OtherPerson.into());
                }
                let Added { additions, complete } = self.additions_to(&record, &present.additions, asker).await;
                record.additions = additions;
                if !complete {
                    self.schedule(provider, identity, found.handle.as_ref(), false).await?;
                }
                let disabled = self.follow(PROVIDERS, &record).await?;
                self.follow_if_said_again(provider, &record.subject, said.changes()).await?;
                Ok(Refreshment::Still { disabled })
            }
            Refreshed::Gone => {
                self.end_gone(PROVIDERS, identity).await?;
                Ok(Refreshment::Gone)
            }
            Refreshed::Refused => {
                self.follow_part(PROVIDERS, identity, |present| IdentityRecord { refreshed_ms: 0, ..present.clone() }).await?;
                self.end_sessions(identity, None).await.map_err(LoginError::after_a_change)?;
                self.forget_refresh(identity).await?;
                Ok(Refreshment::Refused)
            }
            Refreshed::CannotBeAsked => {
                let complete = self.add_to(present, asker).await?;
                self.schedule(provider, identity, handle, complete).await?;
                Ok(Refreshment::AdditionsOnly)
            }
        }
    }

    /// Asks the directories that only authorize. Answers whether all have answered.
    async fn add_to(&self, present: &IdentityRecord, asker: Asker) -> Result<bool, LoginError> {
        if self.settings.directories.is_empty() && present.additions.is_empty() {
            return Ok(true);
        }
        let Added { additions, complete } = self.additions_to(present, &present.additions, asker).await;
        let added = |present: &IdentityRecord| IdentityRecord { additions: additions.clone(), ..present.clone() };
        self.follow_part(PROVIDERS, &present.identity, added).await?;
        Ok(complete)
    }

    /// The same for whoever says a part of what there is of somebody: the rest is as others say, meanwhile too.
    pub(crate) async fn follow_part(
        &self,
        by: &str,
        identity: &str,
        change: impl Fn(&IdentityRecord) -> IdentityRecord + Send + Sync,
    ) -> Result<(), LoginError> {
        let followed = self.auth.change_identity(by, identity, change).await?;
        log_disabled(identity, &followed.disabled);
        Ok(())
    }

    pub(crate) async fn follow(&self, by: &str, record: &IdentityRecord) -> Result<Vec<String>, LoginError> {
        let followed = self.auth.refresh_identity(by, record, Occasion::Refresh).await?;
        log_disabled(&record.identity, &followed.disabled);
        Ok(followed.disabled)
    }

    /// Everything of an identity that is gone ends.
    pub(crate) async fn end_gone(&self, by: &str, identity: &str) -> Result<(), LoginError> {
        self.auth.end_identity(by, identity).await?;
        tracing::info!(identity, "somebody is gone: the provider knows nobody like that any more");
        self.end_sessions(identity, None).await.map_err(LoginError::after_a_change)?;
        let revoked = self.revoke_all_grants(&[identity.to_owned()], by, "the person is gone").await;
        revoked.map_err(LoginError::after_a_change)?;
        self.forget_refresh(identity).await
    }

    async fn forget_refresh(&self, identity: &str) -> Result<(), LoginError> {
        self.store.delete_refresh(identity).await.map_err(|error| self.store_error(error))
    }
}

fn log_disabled(identity: &str, disabled: &[String]) {
    for client_id in disabled {
        tracing::info!(identity, client_id, "a client was disabled: it has more than its person has now");
    }
}

/// What a provider is asked with about one person, who is claimed.
struct KeptHandle<'l> {
    login: &'l Login,
    identity: &'l str,
    latest: Mutex<Option<Zeroizing<String>>>,
}

impl<'l> KeptHandle<'l> {
    fn of(login: &'l Login, claimed: &'l RefreshRecord) -> KeptHandle<'l> {
        let handle = claimed.handle.as_ref().map(|handle| Zeroizing::new(handle.expose().to_owned()));
        KeptHandle { login, identity: &claimed.identity, latest: Mutex::new(handle) }
    }

    /// Whether it did not open here. It is kept as it is then.
    fn is_sealed(&self) -> bool {
        self.latest().is_some_and(|handle| Secret::new(handle.as_str()).is_of_nobody())
    }

    fn latest(&self) -> Option<Zeroizing<String>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Keeper for KeptHandle<'_> {
    async fn keep(&self, handle: &Zeroizing<String>) -> Result<(), ProviderError> {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle.clone());
        let kept = self.login.store.keep_refresh_handle(self.identity, &Secret::new(handle.as_str())).await;
        kept.map_err(|error| ProviderError::NotKept(self.login.store_error(error).to_string()))
    }
}

impl RefreshError {
    /// Whether the provider could not be asked: nothing is wider or narrower for it.
    pub fn is_away(&self) -> bool {
        matches!(self, RefreshError::Provider(error) if matches!(error.fault(), Fault::Away | Fault::Busy))
    }
}
