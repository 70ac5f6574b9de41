//! The settings of the use cases, from the configuration.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use falconer_auth::{AuthSettings, Origin, StaticClient};
use falconer_credentials::AccessToken;
use falconer_grants::{
    ApplicationKind, ApplicationSettings, CommandLine, GrantSettings, OfflineService, PublishedScope, RegisteredTarget, Registration, Risk,
    SigningAlgorithm, keys_of_jwks,
};
use falconer_login::{LoginSettings, RelyingParty};
use falconer_store::Secret;

use super::Access;
use super::providers::{Providers, applications_http, providers};
use crate::config::{Application, Config, Grant, Scope};
use crate::system::usable_memory;
use crate::text_file;

/// The least and the most that expansions may take where the configuration does not say it.
const DEFAULT_CACHE_MIB: (usize, usize) = (64, 1024);

/// What a certificate of the protocol can span.
const LONGEST_GRANT_MS: i64 = 31 * 24 * 3_600_000;

/// Whoever has an old access token may act as the client for so long.
const LONGEST_OVERLAP_MS: i64 = 7 * 24 * 3_600_000;

/// What the example of the configuration once gave a client.
const PUBLISHED_TOKEN: &str = "replace-me-with-22-to-66-characters-of-your-own";

/// Those of clients, roles and verification.
pub fn auth_settings(config: &Config, origin: Origin, access: Access) -> Result<AuthSettings> {
    let mut settings = AuthSettings::new(origin.clone());
    settings.hawk_origins = hawk_origins(config, &origin)?;
    settings.cache_mib = config.cache_mib.map_or_else(|| Ok(cache_mib_of(usable_memory())), usize::try_from)?;
    settings.remembered_refusals = config.services.remembered_refusals;
    settings.max_token_overlap_ms = max_overlap_ms(&config.client.max_overlap)?;
    settings.identity_max_age_ms = duration_ms("identity.max_age", &config.identity.max_age)?;
    // A command that runs for a moment has looked at its beginning.
    settings.max_staleness_ms = if access == Access::Alone { Some(config.max_staleness_ms()?) } else { None };
    settings.leave_static_clients = access == Access::Beside;
    settings.static_clients = config.static_client.iter().map(static_client).collect::<Result<_>>()?;
    settings.websocktunnel_secret = config.websocktunnel_secret.as_ref().map(|secret| Secret::new(secret.expose()));
    settings.on_fatal = Arc::new(end_at_once);
    Ok(settings)
}

/// By default a sixteenth of the memory, within bounds: less forgets what is asked for soon after, more was never needed.
fn cache_mib_of(memory: Option<u64>) -> usize {
    let part = memory.map_or(0, |bytes| bytes / 16 / (1 << 20));
    usize::try_from(part).unwrap_or(usize::MAX).clamp(DEFAULT_CACHE_MIB.0, DEFAULT_CACHE_MIB.1)
}

/// The longest overlap; nothing is one too.
fn max_overlap_ms(text: &str) -> Result<i64> {
    let ms = falconer_wire::time_expression::parse_ms(text).context("client.max_overlap: write something like `1 day`")?;
    if !(0..=LONGEST_OVERLAP_MS).contains(&ms) {
        bail!("client.max_overlap: `{text}`: give nothing (`0 seconds`) to 7 days");
    }
    Ok(ms)
}

/// Going on over a store that may have lost data would be worse than ending: a start reads what is really there.
fn end_at_once(reason: &str) {
    tracing::error!(reason, "the store failed for good: ending at once");
    std::process::exit(70);
}

/// The configured origins; on loopback also the other names of this machine, because people write both.
fn hawk_origins(config: &Config, origin: &Origin) -> Result<Vec<Origin>> {
    let mut origins = Vec::new();
    for text in &config.hawk_origins {
        origins.push(Origin::parse(text).with_context(|| format!("hawk_origins: `{text}` is no origin such as https://auth.example.com"))?);
    }
    if config.root_url.is_none() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            origins.push(Origin { host: host.to_owned(), ..origin.clone() });
        }
    }
    Ok(origins)
}

fn static_client(configured: &crate::config::StaticClient) -> Result<StaticClient> {
    let token = match (&configured.access_token, &configured.access_token_file) {
        (Some(token), None) => token.clone(),
        (None, Some(file)) => text_file::read(file, "the access token in")
            .with_context(|| format!("static client {}", configured.client_id))?
            .trim()
            .to_owned(),
        _ => bail!("static client {}: give either access_token or access_token_file", configured.client_id),
    };
    if token == PUBLISHED_TOKEN {
        bail!(
            "static client {}: this access token was printed in the documentation, so that everybody knows it; `openssl rand -hex 32` prints another",
            configured.client_id
        );
    }
    Ok(StaticClient {
        client_id: configured.client_id.clone(),
        access_token: AccessToken::new(token),
        scopes: configured.scopes.clone(),
        description: configured.description.clone(),
    })
}

/// A time expression of the configuration, in milliseconds.
pub fn duration_ms(name: &str, text: &str) -> Result<i64> {
    let ms = falconer_wire::time_expression::parse_ms(text).with_context(|| format!("{name}: write something like `3 days`"))?;
    if ms <= 0 {
        bail!("{name}: `{text}` must be longer than nothing");
    }
    Ok(ms)
}

/// Those of people.
pub fn login_settings(config: &Config, origin: &str) -> Result<LoginSettings> {
    let Providers { sign_in, directories, mailer, scim } = providers(config)?;
    Ok(LoginSettings {
        providers: sign_in,
        directories,
        mailer,
        scim,
        relying_party: RelyingParty::of_origin(origin),
        session_idle_ms: duration_ms("session.idle", &config.session.idle)?,
        session_absolute_ms: duration_ms("session.max_age", &config.session.max_age)?,
        fresh_ms: duration_ms("session.fresh", &config.session.fresh)?,
        administrator_scopes: config.identity.setup_scopes.clone(),
        on_fatal: Arc::new(end_at_once),
        ..LoginSettings::default()
    })
}

/// As the use cases take it, which check the rest.
fn application(configured: &Application) -> Result<ApplicationSettings> {
    let id = &configured.id;
    let Some(kind) = ApplicationKind::ALL.into_iter().find(|kind| kind.as_str() == configured.kind) else {
        let known: Vec<&str> = ApplicationKind::ALL.into_iter().map(ApplicationKind::as_str).collect();
        bail!("[[application]] {id:?}: kind: {:?} is none of {}", configured.kind, known.join(", "));
    };
    let Some(id_token_alg) = SigningAlgorithm::ALL.into_iter().find(|known| known.as_str() == configured.id_token_alg) else {
        let known: Vec<&str> = SigningAlgorithm::ALL.into_iter().map(SigningAlgorithm::as_str).collect();
        bail!("[[application]] {id:?}: id_token_alg: {:?} is none of {}", configured.id_token_alg, known.join(", "));
    };
    Ok(ApplicationSettings {
        id: id.clone(),
        name: configured.name.clone(),
        owner: configured.owner.clone(),
        redirect_uris: configured.redirect_uris.clone(),
        scopes: configured.scopes.clone(),
        max_life_ms: duration_ms(&format!("[[application]] {id:?}: max_life"), &configured.max_life)?,
        kind,
        secret_sha256: configured.secret_sha256.clone(),
        keys: keys_of_jwks(&configured.jwks).map_err(|why| anyhow!("[[application]] {id:?}: {why}"))?,
        agent: configured.agent,
        device: configured.device,
        remember_ms: match &configured.remember_consent {
            Some(text) => duration_ms(&format!("[[application]] {id:?}: remember_consent"), text)?,
            None => 0,
        },
        skip_consent: configured.skip_consent,
        dpop_bound_access_tokens: configured.dpop_bound_access_tokens,
        pushed_only: configured.pushed_only,
        id_token_alg,
        backchannel_logout_uri: configured.backchannel_logout_uri.clone(),
    })
}

/// Those of grants.
pub fn grant_settings(config: &Config) -> Result<GrantSettings> {
    let max_ttl_ms = duration_ms("grant.max_ttl", &config.grant.max_ttl)?;
    if max_ttl_ms > LONGEST_GRANT_MS {
        bail!("grant.max_ttl: `{}` is longer than the 31 days that a certificate can span", config.grant.max_ttl);
    }
    let agent_ttl_ms = duration_ms("grant.agent_ttl", &config.grant.agent_ttl)?;
    if let Some(wrong) = config.grant.sign_in_again.iter().find(|scope| scope.is_empty() || !falconer_scopes::is_valid_scope(scope)) {
        bail!("grant.sign_in_again: {wrong:?} is not a scope");
    }
    let target = |target: &crate::config::RegisteredTarget| RegisteredTarget { name: target.name.clone(), targets: target.targets.clone() };
    Ok(GrantSettings {
        max_ttl_ms,
        agent_ttl_ms,
        registered_only: config.grant.registered_only,
        sign_in_again: config.grant.sign_in_again.clone(),
        mail: config.grant.mail,
        client_documents: config.grant.client_documents.clone(),
        registration: registration(&config.grant.registration)?,
        logout_hosts: config.grant.logout_hosts.clone(),
        applications_http: Some(applications_http()?),
        command_line: command_line(&config.grant)?,
        registered_targets: config.target.iter().map(target).collect(),
        applications: config.application.iter().map(application).collect::<Result<_>>()?,
        scopes: config.scope.iter().map(published_scope).collect::<Result<_>>()?,
        offline_services: config.offline_service.iter().map(offline_service).collect::<Result<_>>()?,
    })
}

fn registration(word: &str) -> Result<Registration> {
    let found = Registration::ALL.into_iter().find(|known| known.as_str() == word);
    found.with_context(|| format!("grant.registration: `{word}` is none of `off`, `token` and `open`"))
}

/// An operator who lets registered targets only ask has to say that it is one of them.
fn command_line(configured: &Grant) -> Result<CommandLine> {
    let Some(text) = &configured.command_line else {
        return Ok(if configured.registered_only { CommandLine::Off } else { CommandLine::BrowserAndDevice });
    };
    let known = CommandLine::ALL.into_iter().find(|way| way.as_str() == text);
    known.with_context(|| format!("grant.command_line: {text:?} is none of `browser-and-device`, `browser` and `off`"))
}

fn offline_service(service: &crate::config::OfflineService) -> Result<OfflineService> {
    let known = || SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", ");
    let alg = SigningAlgorithm::of_word(&service.alg)
        .with_context(|| format!("[[offline_service]] {:?}: alg: {:?} is none of {}", service.resource, service.alg, known()))?;
    Ok(OfflineService { resource: service.resource.clone(), scopes: service.scopes.clone(), alg })
}

fn published_scope(scope: &Scope) -> Result<PublishedScope> {
    let risk = Risk::parse(&scope.risk).with_context(|| format!("[[scope]] {}: risk is `ordinary` or `high`", scope.template))?;
    Ok(PublishedScope { namespace: scope.namespace.clone(), template: scope.template.clone(), sentence: scope.sentence.clone(), risk })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansions_take_a_sixteenth_of_the_memory_within_bounds() {
        let mib = |mib: u64| Some(mib << 20);
        for (memory, cache_mib) in
            [(None, 64), (mib(512), 64), (mib(1024), 64), (mib(8192), 512), (mib(16 * 1024), 1024), (mib(1 << 20), 1024)]
        {
            assert_eq!(cache_mib_of(memory), cache_mib, "{memory:?}");
        }
        assert!(usable_memory().is_some_and(|bytes| bytes > 64 << 20));
    }
}
