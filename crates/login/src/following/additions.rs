//! What directories that only authorize add to an identity of another provider.

use falconer_store::{Addition, IdentityRecord};
use futures_util::future::join_all;

use super::figures::RefreshEnd;
use super::record::{check_groups, log_refused};
use super::silent::{Asker, PATIENCE};
use crate::login::Login;
use crate::providers::error::{Fault, ProviderError};
use crate::providers::mapping::Mapped;
use crate::providers::provider::{ConfiguredDirectory, Known};

/// What directories add.
pub(crate) struct Added {
    pub(crate) additions: Vec<Addition>,
    /// Whether all of them have answered.
    pub(crate) complete: bool,
}

impl Login {
    /// Asks all directories at once. One that gives no answer leaves what it said `before`, with the age that it has: it counts for its time, and gives nothing new.
    ///
    /// At a sign-in each has [`PATIENCE`], and whoever gave no answer just now is not waited for (ADR 235).
    pub(crate) async fn additions_to(&self, record: &IdentityRecord, before: &[Addition], asker: Asker) -> Added {
        let names_count = self.provider(&record.provider).is_ok_and(|provider| !provider.kind.names_are_reused());
        let known = Known {
            subject: &record.subject,
            username: record.username.as_deref().filter(|_| names_count),
            email: record.email.as_deref().filter(|_| record.email_verified),
            handle: None,
        };
        let answers = self.settings.directories.iter().map(|directory| self.addition_in_time(directory, known, asker));
        let answers = join_all(answers).await;
        let mut added = Added { additions: Vec::new(), complete: true };
        for (directory, answer) in self.settings.directories.iter().zip(answers) {
            match answer {
                Ok(addition) => added.additions.extend(addition),
                Err(error) => {
                    tracing::warn!(directory = %directory.name, identity = %record.identity, %error, "a directory did not say what somebody has");
                    added.complete = false;
                    added.additions.extend(before.iter().find(|known| known.provider == directory.name).cloned());
                }
            }
        }
        added
    }

    async fn addition_in_time(
        &self,
        directory: &ConfiguredDirectory,
        known: Known<'_>,
        asker: Asker,
    ) -> Result<Option<Addition>, ProviderError> {
        if self.silent.has(&directory.name, asker, self.now_ms()) {
            return Err(ProviderError::Silent);
        }
        let addition = self.addition(directory, known);
        let answer = match asker {
            Asker::SignIn => tokio::time::timeout(PATIENCE, addition).await.unwrap_or(Err(ProviderError::Silent)),
            Asker::Round | Asker::Command => addition.await,
        };
        let answered = !matches!(&answer, Err(error) if error.fault() == Fault::Away);
        self.silent.note(&directory.name, answered, self.now_ms());
        let end = match &answer {
            Ok(_) => RefreshEnd::Answered,
            Err(_) if answered => RefreshEnd::Failed,
            Err(_) => RefreshEnd::Away,
        };
        self.refreshes.note(&directory.name, end, self.now_ms());
        answer
    }

    async fn addition(&self, directory: &ConfiguredDirectory, known: Known<'_>) -> Result<Option<Addition>, ProviderError> {
        let now_ms = self.now_ms();
        let Some(attributes) = directory.kind.look_up(&known, now_ms).await? else { return Ok(None) };
        let mapped = directory.mapping.map_addition(&directory.name, &attributes);
        check_groups(&mapped)?;
        log_refused(&mapped);
        let Mapped { groups, scopes, .. } = mapped;
        Ok(Some(Addition { provider: directory.name.clone(), groups, scopes, refreshed_ms: now_ms }))
    }
}
