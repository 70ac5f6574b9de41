//! What directories that only authorize add to an identity of another provider.

use falconer_store::{Addition, IdentityRecord};
use futures_util::future::join_all;

use super::record::{check_groups, log_refused};
use crate::login::Login;
use crate::providers::error::ProviderError;
use crate::providers::mapping::Mapped;
use crate::providers::provider::{ConfiguredDirectory, Known};

impl Login {
    /// Asks all directories at once. One that can't answer leaves what it said `before`, with the age that it has: it counts for its time, and gives nothing new.
    pub(crate) async fn additions_to(&self, record: &IdentityRecord, before: &[Addition]) -> Vec<Addition> {
        let names_count = self.provider(&record.provider).is_ok_and(|provider| !provider.kind.names_change_hands());
        let known = Known {
            subject: &record.subject,
            username: record.username.as_deref().filter(|_| names_count),
            email: record.email.as_deref().filter(|_| record.email_verified),
            handle: None,
        };
        let answers = self.settings.directories.iter().map(|directory| self.addition(directory, known));
        let answers = join_all(answers).await;
        let mut additions = Vec::new();
        for (directory, answer) in self.settings.directories.iter().zip(answers) {
            match answer {
                Ok(addition) => additions.extend(addition),
                Err(error) => {
                    tracing::warn!(directory = %directory.name, identity = %record.identity, %error, "a directory did not say what somebody has");
                    additions.extend(before.iter().find(|known| known.provider == directory.name).cloned());
                }
            }
        }
        additions
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
