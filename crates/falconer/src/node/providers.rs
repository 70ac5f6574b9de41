//! Identity providers, as they are configured.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use falconer_grants::ApplicationsHttp;
use falconer_login::email_code::EmailCodeProvider;
use falconer_login::github::GithubProvider;
use falconer_login::http::{HttpLimits, ProviderHttp, WebHttp};
use falconer_login::http_directory::HttpDirectory;
use falconer_login::ldap::LdapProvider;
use falconer_login::mail::{Mailer, SmtpMailer};
use falconer_login::mapping::Mapping;
use falconer_login::oidc::OidcProvider;
use falconer_login::{ConfiguredDirectory, ConfiguredProvider, Directory, IdentityProvider, ScimSettings};
use falconer_store::Secret;

use crate::config::{
    Config, EmailCodeSection, GithubSection, HttpDirectorySection, LdapSection, Mail, OidcSection, Provider, ScimSection, SecretText,
    check_token,
};
use crate::text_file;

/// Where people sign in, and who adds to it.
#[derive(Default)]
pub struct Providers {
    /// In the configured order.
    pub sign_in: Vec<ConfiguredProvider>,
    /// What hands mails to a server.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Those that only authorize.
    pub directories: Vec<ConfiguredDirectory>,
    /// What is pushed.
    pub scim: Vec<ScimSettings>,
}

/// All of them. Nobody is asked yet.
pub fn providers(config: &Config) -> Result<Providers> {
    let mut names = HashSet::new();
    let mut providers = Providers { mailer: config.mail.as_ref().map(mailer).transpose()?, ..Providers::default() };
    if config.provider.is_empty() {
        return Ok(providers);
    }
    let tls = falconer_client::tls_config().context("TLS to identity providers can't be set up")?;
    let http: Arc<dyn ProviderHttp> = Arc::new(WebHttp::new(&tls, HttpLimits::default()).map_err(|why| anyhow!(why))?);
    for provider in &config.provider {
        if !names.insert(provider.name()) {
            bail!("provider: two are named {:?}; give each a name of its own", provider.name());
        }
        let of = || format!("provider {}", provider.name());
        providers.add(provider, Arc::clone(&http)).with_context(of)?;
        if let Some(scim) = provider.scim() {
            let scim = scim_settings(provider.name(), scim).with_context(of)?;
            if providers.scim.iter().any(|other| other.has_token_of(&scim)) {
                bail!("provider {}: scim: another provider has this token; give each directory one of its own", provider.name());
            }
            providers.scim.push(scim);
        }
    }
    Ok(providers)
}

/// How the documents of applications are read, which are short, and for which a person waits; and how applications are told of something.
pub fn applications_http() -> Result<ApplicationsHttp> {
    let tls = falconer_client::tls_config().context("TLS to applications can't be set up")?;
    let limits = HttpLimits { total: Duration::from_secs(5), bytes: 16 * 1024 };
    Ok(ApplicationsHttp(Arc::new(WebHttp::new(&tls, limits).map_err(|why| anyhow!(why))?)))
}

impl Providers {
    fn add(&mut self, provider: &Provider, http: Arc<dyn ProviderHttp>) -> Result<()> {
        let (name, label, refresh_ms) = (provider.name().to_owned(), provider.label().to_owned(), provider.refresh_ms());
        let (kind, mapping): Kind = match provider {
            Provider::Oidc(oidc) => oidc_provider(oidc, http)?,
            Provider::Github(github) => github_provider(github, http)?,
            Provider::EmailCode(mail) => email_code_provider(mail, self.mailer.as_ref())?,
            Provider::HttpDirectory(directory) => {
                let (kind, mapping) = http_directory(directory, http)?;
                self.directories.push(ConfiguredDirectory { name, mapping, kind, refresh_ms });
                return Ok(());
            }
            Provider::Ldap(ldap) => {
                let (kind, mapping) = ldap_provider(ldap)?;
                if ldap.only_authorizes {
                    self.directories.push(ConfiguredDirectory { name, mapping, kind, refresh_ms });
                    return Ok(());
                }
                (kind, mapping)
            }
        };
        self.sign_in.push(ConfiguredProvider { name, label, mapping, kind, refresh_ms });
        Ok(())
    }
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

fn email_code_provider(section: &EmailCodeSection, mailer: Option<&Arc<dyn Mailer>>) -> Result<Kind> {
    let mailer = mailer.context("codes go by mail: write [mail] too")?;
    let mapping = section.mapping().map_err(|why| anyhow!(why))?;
    Ok((Arc::new(EmailCodeProvider::new(section.settings(), Arc::clone(mailer))?), mapping))
}

fn mailer(mail: &Mail) -> Result<Arc<dyn Mailer>> {
    let read = || {
        let password = secret(mail.password.as_ref(), mail.password_file.as_deref(), "the password in")?;
        let ca_pem = mail.ca_file.as_deref().map(|file| text_file::read(file, "the certificates in")).transpose()?;
        Ok(SmtpMailer::new(&mail.settings(password, ca_pem.map(String::into_bytes)))?)
    };
    let mailer: Result<SmtpMailer> = read();
    Ok(Arc::new(mailer.context("mail")?))
}

fn http_directory(directory: &HttpDirectorySection, http: Arc<dyn ProviderHttp>) -> Result<(Arc<dyn Directory>, Mapping)> {
    let key = secret(directory.api_key.as_ref(), directory.api_key_file.as_deref(), "the key in")?;
    let mapping = directory.mapping().map_err(|why| anyhow!(why))?;
    Ok((Arc::new(HttpDirectory::new(directory.settings(key), http)?), mapping))
}

fn ldap_provider(ldap: &LdapSection) -> Result<(Arc<LdapProvider>, Mapping)> {
    let password = secret(ldap.bind_password.as_ref(), ldap.bind_password_file.as_deref(), "the password in")?;
    let mapping = ldap.mapping().map_err(|why| anyhow!(why))?;
    let settings = ldap.settings(password).map_err(|why| anyhow!(why))?;
    let tls = match &ldap.ca_file {
        Some(file) => falconer_client::tls_config_with(&text_file::read(file, "the certificates in")?)
            .with_context(|| format!("ca_file {}: no certificate of it can be used", file.display()))?,
        None => falconer_client::tls_config()?,
    };
    Ok((Arc::new(LdapProvider::new(settings, tls)?), mapping))
}

fn scim_settings(provider: &str, scim: &ScimSection) -> Result<ScimSettings> {
    let token = secret(scim.token.as_ref(), scim.token_file.as_deref(), "the token of the directory in")?;
    let token = token.ok_or_else(|| anyhow!("scim: give token_file, or token"))?;
    check_token(token.expose()).map_err(|why| anyhow!(why))?;
    Ok(ScimSettings::new(provider, token.expose(), scim.subject(), scim.groups, scim.only_pushed).with_bounds(scim.bounds()))
}

/// A secret from the one place in which it is.
fn secret(written: Option<&SecretText>, file: Option<&Path>, what: &str) -> Result<Option<Secret>> {
    match (written, file) {
        (Some(secret), None) => Ok(Some(Secret::new(secret.expose()))),
        (None, Some(file)) => Ok(Some(Secret::new(text_file::read(file, what)?.trim()))),
        _ => Ok(None),
    }
}
