//! What follows for people of what was pushed.

use std::pin::Pin;

use falconer_store::{IdentityRecord, ScimKind, ScimRecord, ScimStanding};
use futures_util::future::join_all;

use super::directory::ScimSettings;
use super::error::ScimError;
use super::user::Profile;
use crate::error::LoginError;
use crate::login::Login;
use crate::providers::error::ProviderError;
use crate::providers::provider::{Attributes, ConfiguredProvider};

/// So many are read together.
const READ: u32 = 256;
/// So many are followed at once.
const AT_ONCE: usize = 16;
/// What is said again while it is followed is followed again so often; then the next round does it.
const ROUNDS: usize = 4;

type Following<'a> = Pin<Box<dyn Future<Output = Result<(), LoginError>> + Send + 'a>>;

/// What a directory says of somebody whom its provider has proved.
pub(crate) enum PushedStanding {
    /// It pushes nothing, or has said nothing of them and lets others decide.
    Nothing,
    /// They are there.
    There(Box<ScimStanding>),
}

impl PushedStanding {
    /// How often something new was said.
    pub(crate) fn changes(&self) -> Option<i64> {
        match self {
            PushedStanding::Nothing => None,
            PushedStanding::There(standing) => Some(standing.changes),
        }
    }
}

impl Login {
    /// What the directory of a provider says of somebody who signs in; the inner error where it does not let them. That nobody knows is the outer one: it ends nobody.
    pub(crate) async fn pushed_standing_at_sign_in(
        &self,
        provider: &ConfiguredProvider,
        subject: &str,
        gone: bool,
    ) -> Result<Result<PushedStanding, ProviderError>, LoginError> {
        let Some(scim) = self.scim_of(&provider.name) else { return Ok(Ok(PushedStanding::Nothing)) };
        Ok(match self.standing(scim, subject).await? {
            Some(standing) if standing.deleted || !standing.user.active => Err(ProviderError::Deactivated),
            Some(standing) => Ok(PushedStanding::There(Box::new(standing))),
            // Whoever was deleted comes back only by being pushed again.
            None if scim.only_pushed || gone => Err(ProviderError::NotPushed),
            None => Ok(PushedStanding::Nothing),
        })
    }

    /// What the directory of a provider says of somebody who has signed in before; `None`: they may not any more.
    pub(crate) async fn pushed_standing_of(
        &self,
        provider: &ConfiguredProvider,
        subject: &str,
    ) -> Result<Option<PushedStanding>, LoginError> {
        let Some(scim) = self.scim_of(&provider.name) else { return Ok(Some(PushedStanding::Nothing)) };
        Ok(match self.standing(scim, subject).await? {
            Some(standing) if standing.deleted || !standing.user.active => None,
            Some(standing) => Some(PushedStanding::There(Box::new(standing))),
            None => Some(PushedStanding::Nothing),
        })
    }

    /// Follows what was said of somebody while something older was written; `changes` are those of the older.
    pub(crate) async fn follow_if_said_again(
        &self,
        provider: &ConfiguredProvider,
        subject: &str,
        changes: Option<i64>,
    ) -> Result<(), LoginError> {
        let Some(scim) = self.scim_of(&provider.name) else { return Ok(()) };
        match self.standing(scim, subject).await? {
            Some(standing) if Some(standing.changes) != changes => self.follow_standing(scim, provider, &standing).await,
            _ => Ok(()),
        }
    }

    /// The user of this subject, deleted ones too as long as they are known.
    pub(crate) async fn standing(&self, scim: &ScimSettings, subject: &str) -> Result<Option<ScimStanding>, LoginError> {
        self.store.scim_standing(&scim.provider, scim.user_of(subject)).await.map_err(|error| self.read_error(error))
    }

    /// Puts the groups that were pushed in place of those that the provider named, where the directory decides about groups.
    pub(crate) fn put_pushed_groups(&self, provider: &ConfiguredProvider, said: &PushedStanding, attributes: &mut Attributes) {
        if let (Some(scim), PushedStanding::There(standing)) = (self.scim_of(&provider.name), said)
            && scim.groups
        {
            attributes.groups.clone_from(&standing.groups);
        }
    }

    /// Follows everything that directories have said and that was not followed yet, because a node ended meanwhile, or the store was away.
    pub(crate) async fn follow_all_pushed(&self) {
        for scim in &self.settings.scim {
            if let Err(error) = self.follow_pushed(scim).await {
                tracing::warn!(directory = %scim.provider, %error, "what a directory has pushed can't be followed; trying again in a moment");
            }
        }
    }

    /// Follows a change that was written: one of a user for that user alone, who does not wait for others, and one of a group for everybody of whom something new was
    /// said. Whatever goes wrong now, what was pushed is kept.
    pub(crate) async fn follow_change(&self, scim: &ScimSettings, changed: &ScimRecord) -> Result<(), ScimError> {
        match changed.kind {
            ScimKind::User => self.follow_user(scim, changed).await.map_err(LoginError::after_a_change)?,
            ScimKind::Group => self.follow_changed_group(scim).await?,
        }
        Ok(())
    }

    /// The same where it is known to be a group.
    pub(crate) async fn follow_changed_group(&self, scim: &ScimSettings) -> Result<(), ScimError> {
        self.follow_pushed(scim).await.map_err(|error| error.after_a_change().into())
    }

    async fn follow_user(&self, scim: &ScimSettings, user: &ScimRecord) -> Result<(), LoginError> {
        let (Ok(provider), Some(subject)) = (self.provider(&scim.provider), scim.subject_of(user)) else { return Ok(()) };
        for _ in 0..ROUNDS {
            let Some(standing) = self.standing(scim, subject).await? else { return Ok(()) };
            // What another node wrote at a sign-in is to be seen here.
            self.auth.catch_up().await.map_err(|error| self.read_error(error))?;
            self.follow_standing(scim, provider, &standing).await?;
            let followed = [(standing.user.id, standing.changes)];
            let noted = self.store.note_scim_followed(&scim.provider, &followed).await;
            if noted.map_err(|error| self.store_error(error))?.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Follows what this directory has said, for everybody of whom it is new. All are tried; the answer is the first error. One request after the other does it, so
    /// that nobody is followed once for each request that waits.
    pub(crate) async fn follow_pushed(&self, scim: &ScimSettings) -> Result<(), LoginError> {
        let _turn = scim.following.lock().await;
        let Ok(provider) = self.provider(&scim.provider) else { return Ok(()) };
        let mut failed = None;
        for _ in 0..ROUNDS {
            let (mut after, mut has_more) = (String::new(), false);
            loop {
                let pending = self.store.pending_scim(&scim.provider, &after, READ).await.map_err(|error| self.read_error(error))?;
                let Some(last) = pending.last() else { break };
                after.clone_from(&last.user.id);
                // What another node wrote at a sign-in is to be seen here.
                self.auth.catch_up().await.map_err(|error| self.read_error(error))?;
                if pending.iter().any(|standing| self.concerns_somebody(scim, standing)) {
                    self.check_same_people(provider).await?;
                }
                let mut followed = Vec::with_capacity(pending.len());
                for together in pending.chunks(AT_ONCE) {
                    let following: Vec<Following<'_>> =
                        together.iter().map(|standing| Box::pin(self.follow_standing(scim, provider, standing)) as Following<'_>).collect();
                    for (standing, outcome) in together.iter().zip(join_all(following).await) {
                        match outcome {
                            Ok(()) => followed.push((standing.user.id.clone(), standing.changes)),
                            Err(error) => failed = failed.or(Some(error)),
                        }
                    }
                }
                let noted = self.store.note_scim_followed(&scim.provider, &followed).await;
                has_more |= !noted.map_err(|error| self.store_error(error))?.is_empty();
            }
            if !has_more {
                break;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn follow_standing(&self, scim: &ScimSettings, provider: &ConfiguredProvider, standing: &ScimStanding) -> Result<(), LoginError> {
        let Some(identity) = scim.identity_of(&standing.user) else { return Ok(()) };
        let present = self.auth.directory().identity(&identity).map(|known| known.record.clone());
        // Whoever has not signed in yet has nothing.
        let Some(present) = present else { return Ok(()) };
        self.check_same_people(provider).await?;
        if standing.deleted || !standing.user.active {
            // Also of somebody who is gone: the step that ended them may have been the last one before this node ended.
            return self.end_gone(&scim.actor(), &identity).await;
        }
        // Whoever has ended signs in again.
        if present.gone {
            return Ok(());
        }
        self.follow_part(&scim.actor(), &identity, |present| self.pushed_record(scim, provider, standing, present)).await
    }

    fn concerns_somebody(&self, scim: &ScimSettings, standing: &ScimStanding) -> bool {
        scim.identity_of(&standing.user).is_some_and(|identity| self.auth.directory().identity(&identity).is_some())
    }

    /// While people here are known by something else than is configured, nobody can say who was pushed. What was pushed is kept then, and is followed once that is
    /// mended; whoever pushes hears of it.
    async fn check_same_people(&self, provider: &ConfiguredProvider) -> Result<(), LoginError> {
        let Err(error) = self.check_known_by(provider).await? else { return Ok(()) };
        tracing::error!(provider = %provider.name, %error, "what a directory has pushed is kept, and can't be followed");
        Err(LoginError::NotFollowed(format!("What was pushed is kept, and can't be followed before the configuration is mended: {error}")))
    }

    /// What somebody has by what was pushed. A push prolongs nothing, and makes no address the person's.
    fn pushed_record(
        &self,
        scim: &ScimSettings,
        provider: &ConfiguredProvider,
        standing: &ScimStanding,
        present: &IdentityRecord,
    ) -> IdentityRecord {
        let emails = Profile::of(&standing.user).emails;
        let has = |address: &str| emails.iter().any(|email| email.value.eq_ignore_ascii_case(address));
        let mut attributes = Attributes {
            subject: present.subject.clone(),
            display_name: present.display_name.clone(),
            username: present.username.clone(),
            email_verified: present.email_verified && (emails.is_empty() || present.email.as_deref().is_some_and(has)),
            email: present.email.clone(),
            groups: if scim.groups { standing.groups.clone() } else { present.groups.clone() },
        };
        let record = self.record_of(provider, &attributes).or_else(|error| {
            tracing::warn!(identity = %present.identity, %error, "what a directory has pushed gives no groups");
            attributes.groups.clear();
            self.record_of(provider, &attributes)
        });
        let ended = IdentityRecord { scopes: Vec::new(), groups: Vec::new(), ..present.clone() };
        IdentityRecord { refreshed_ms: present.refreshed_ms, additions: present.additions.clone(), ..record.unwrap_or(ended) }
    }
}
