//! Identity providers, as they are configured.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use falconer_login::github::GithubProvider;
use falconer_login::http::{HttpLimits, ProviderHttp, WebHttp};
use falconer_login::mapping::Mapping;
use falconer_login::oidc::OidcProvider;
use falconer_login::{ConfiguredProvider, IdentityProvider};
use falconer_store::Secret;

use crate::config::{Config, GithubSection, OidcSection, Provider, SecretText};
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
        let http = Arc::clone(&http);
        let configured = match provider {
            Provider::Oidc(oidc) => oidc_provider(oidc, http),
            Provider::Github(github) => github_provider(github, http),
        };
        let (kind, mapping) = configured.with_context(|| format!("provider {}", provider.name()))?;
        providers.push(ConfiguredProvider { name: provider.name().to_owned(), label: provider.label().to_owned(), mapping, kind });
    }
    Ok(providers)
}

type Kind = (Arc<dyn IdentityProvider>, Mapping);

fn oidc_provider(oidc: &OidcSection, http: Arc<dyn ProviderHttp>) -> Result<Kind> {
    let client_secret = secret(oidc.client_secret.as_ref(), oidc.client_secret_file.as_deref(), "the client secret in")?;
    let mapping = oidc.mapping().map_err(|why| anyhow!(why))?;
    Ok((Arc::new(OidcProvider::new(oidc.settings(client_secret), http)?), mapping))
}

fn github_provider(github: &GithubSection, http: Arc<dyn ProviderHttp>) -> Result<Kind> {
    let client_secret = secret(github.client_secret.as_ref(), github.client_secret_file.as_deref(), "the client secret in")?;
    let mapping = github.mapping().map_err(|why| anyhow!(why))?;
    let settings = github.settings(client_secret).map_err(|why| anyhow!(why))?;
    Ok((Arc::new(GithubProvider::new(settings, http)?), mapping))
}

/// A secret from the one place in which it is.
fn secret(written: Option<&SecretText>, file: Option<&Path>, what: &str) -> Result<Option<Secret>> {
    match (written, file) {
        (Some(secret), None) => Ok(Some(Secret::new(secret.expose()))),
        (None, Some(file)) => Ok(Some(Secret::new(text_file::read(file, what)?.trim()))),
        _ => Ok(None),
    }
}
