//! Providers whose people are known by something else than is configured now.

use anyhow::Result;
use falconer_login::ConfiguredProvider;
use falconer_store::ProviderPeople;

use super::storage::Storage;
use crate::config::Config;

/// What an operator has to know of each of them, as sentences. Nothing is changed, and no provider is asked.
pub async fn known_by_other(config: &Config, providers: &[ConfiguredProvider]) -> Result<Vec<String>> {
    if providers.is_empty() {
        return Ok(Vec::new());
    }
    let people = Storage::of(config).people_of_providers().await?;
    Ok(people.iter().filter_map(|people| warning_about(people, providers)).collect())
}

fn warning_about(people: &ProviderPeople, providers: &[ConfiguredProvider]) -> Option<String> {
    let provider = providers.iter().find(|provider| provider.name == people.provider)?;
    let kept = people.known_by.clone().unwrap_or_else(|| provider.kind.known_by_before());
    let configured = provider.kind.known_by();
    let ProviderPeople { provider, identities, .. } = people;
    (kept != configured).then(|| {
        format!(
            "provider {provider}: its people ({identities} identities) are known by `{kept}`, and it is configured with `{configured}`. With another one all of \
             them would be others, and one could be taken for somebody else. So nobody signs in with it, and nobody of it is followed; what they have ends with \
             identity.max_age. Put the setting back; or give the provider another name: people sign in there as new ones, and `falconer person link` makes \
             them one with what they were"
        )
    })
}
