//! Identity providers, as they are configured.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use falconer_login::ConfiguredProvider;
use falconer_login::http::{HttpLimits, ProviderHttp, WebHttp};
use falconer_login::oidc::OidcProvider;
use falconer_store::Secret;

use crate::config::{self, Config, Provider};
use crate::text_file;

/// All of them. Nobody is asked yet.
pub fn providers(config: &Config) -> Result<Vec<ConfiguredProvider>> {
    let mut names = HashSet::new();
    if config.provider.is_empty() {
        return Ok(Vec::new());
    }
    let tls = falconer_client::tls_config().context("TLS to identity providers can't be set up")?;
    let http: Arc<dyn ProviderHttp> = Arc::new(WebHttp::new(&tls, HttpLimits::default()).map_err(|why| anyhow!(why))?);
    let mut providers = Vec::new();
    for provider in &config.provider {
        if !names.insert(provider.name()) {
            bail!("provider: two are named {:?}; give each a name of its own", provider.name());
        }
        let Provider::Oidc(oidc) = provider;
        providers.push(oidc_provider(oidc, Arc::clone(&http)).with_context(|| format!("provider {}", oidc.name))?);
    }
    Ok(providers)
}

fn oidc_provider(oidc: &config::OidcProvider, http: Arc<dyn ProviderHttp>) -> Result<ConfiguredProvider> {
    let client_secret = match (&oidc.client_secret, &oidc.client_secret_file) {
        (Some(secret), None) => Some(Secret::new(secret.expose())),
        (None, Some(file)) => Some(Secret::new(text_file::read(file, "the client secret in")?.trim())),
        _ => None,
    };
    Ok(ConfiguredProvider {
        name: oidc.name.clone(),
        label: oidc.label().to_owned(),
        mapping: oidc.mapping().map_err(|why| anyhow!(why))?,
        kind: Arc::new(OidcProvider::new(oidc.settings(client_secret), http)?),
    })
}
