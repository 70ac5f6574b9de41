//! What the commands of a user share: the server and the credentials, from the environment of the published clients.

use anyhow::{Context, Result};
use falconer_client::{Client, Environment, Error};

use crate::output::WrongUse;

/// `--root-url` and `--json`.
#[derive(clap::Args, Clone)]
pub struct UserOptions {
    #[command(flatten)]
    server: ServerOptions,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `--root-url`.
#[derive(clap::Args, Clone)]
pub struct ServerOptions {
    /// The server; by default TASKCLUSTER_ROOT_URL
    #[arg(long, value_name = "URL", value_parser = server_url)]
    root_url: Option<String>,
}

impl std::ops::Deref for UserOptions {
    type Target = ServerOptions;

    fn deref(&self) -> &ServerOptions {
        &self.server
    }
}

impl ServerOptions {
    /// A server that another command's flag names; by default that of the environment.
    pub fn at(root_url: Option<String>) -> ServerOptions {
        ServerOptions { root_url }
    }

    /// The root URL, from the flag or the environment.
    pub fn root_url(&self) -> Result<String> {
        self.server(&environment()?)
    }

    fn server(&self, environment: &Environment) -> Result<String> {
        if let Some(url) = &self.root_url {
            return Ok(url.clone());
        }
        let url = environment.root_url.as_deref().ok_or_else(|| {
            WrongUse("no server: set TASKCLUSTER_ROOT_URL (`falconer signin` prints the line) or give --root-url".to_owned())
        })?;
        server_url(url).map_err(|why| WrongUse(format!("TASKCLUSTER_ROOT_URL: {why}")).into())
    }

    /// A client with the credentials of the environment, or without any.
    pub fn client(&self) -> Result<Client> {
        let environment = environment()?;
        Self::client_of(&self.server(&environment)?, environment)
    }

    /// The same for whatever `url` belongs to, which may be no server of the protocol.
    pub fn client_for(&self, url: &str) -> Result<Client> {
        Self::client_of(url, environment()?)
    }

    fn client_of(url: &str, environment: Environment) -> Result<Client> {
        let client = Client::new(url)?;
        Ok(match environment.credentials {
            Some(credentials) => client.with_credentials(credentials),
            None => client,
        })
    }
}

fn environment() -> Result<Environment> {
    Environment::read().context("the credentials in the environment")
}

/// A URL of a server, without its last slash.
pub fn server_url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(format!("`{text}` is no http or https URL; write something like https://auth.example.com")),
    }
}

/// What `falconer current-scopes` needs.
const CURRENT_SCOPES: &str = "auth:current-scopes";

/// The grant whose credentials are in the environment, by its clientId, with its end.
pub fn grant_of_environment() -> Option<(String, String)> {
    let credentials = Environment::read().ok()?.credentials?;
    let certificate: serde_json::Value = serde_json::from_str(credentials.certificate()?).ok()?;
    let of_grant = certificate.get("issuer")?.as_str()?.starts_with("static/falconer/grants-");
    let end = falconer_wire::date_time::format_ms(credentials.expires_ms()?);
    of_grant.then(|| (credentials.client_id().to_owned(), end))
}

/// A service, rather than the server of the environment, refused a call: what [`next_step`] is told beside the refusal.
#[derive(Debug)]
pub struct ServiceRefused {
    /// HTTP status.
    pub status: u16,
    /// What the call was signed for.
    pub origin: String,
}

impl std::fmt::Display for ServiceRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the answer was {}", self.status)
    }
}

/// The scopes that a 403 says are missing: one a line in the first fence. The second holds all that the call needs.
fn missing(message: &str) -> impl Iterator<Item = &str> {
    let fenced = message.split_once("missing the following scopes:").and_then(|(_, after)| after.split("```").nth(1));
    fenced.unwrap_or_default().lines().map(str::trim)
}

/// What to do about a server's refusal.
pub fn next_step(error: &anyhow::Error) -> Option<String> {
    const SIGN_IN: &str = "`eval \"$(falconer signin)\"` gets fresh ones through the browser";
    let failure = error.chain().find_map(|cause| cause.downcast_ref::<Error>())?;
    if let Error::Request(text) = failure
        && text.ends_with("cannot be part of a path")
    {
        return Some(
            "The pages of the server can show and delete it: /auth/clients/edit?id=.. and /auth/roles/edit?id=.. take any id.".to_owned(),
        );
    }
    if let Error::Network { detail, .. } = failure {
        if detail.contains("certificate") {
            return Some(
                "Its TLS certificate is not of an authority that this machine knows. For a private authority, SSL_CERT_FILE names a PEM file with those that count."
                    .to_owned(),
            );
        }
        return Some("Is the address right, and does the server run there?".to_owned());
    }
    let credentials = Environment::read().ok().and_then(|found| found.credentials);
    let bad_mac = failure.to_string().contains("Bad mac");
    let service = error.downcast_ref::<ServiceRefused>();
    match (failure.status()?, credentials) {
        (401 | 403, None) => Some(format!("There are no credentials in the environment: {SIGN_IN}.")),
        (401, Some(_)) if bad_mac && let Some(service) = service => Some(format!(
            "The call was signed for {0}. Does the service ask Falconer about that very origin? `localhost` and `127.0.0.1` are two, and behind a proxy it is the \
             proxy's. Where `falconer curl /api/auth/v1/scopes/current` works, the credentials hold and the service's origin is wrong.",
            service.origin
        )),
        (401, Some(credentials)) if bad_mac && credentials.certificate().is_some() => Some(format!(
            "TASKCLUSTER_CERTIFICATE is set: it belongs to the temporary credentials that it came with. With others, `unset TASKCLUSTER_CERTIFICATE`; else {SIGN_IN}."
        )),
        (401, Some(_)) => Some(format!("The credentials in the environment do not hold: {SIGN_IN}.")),
        (403, Some(_)) if missing(&failure.to_string()).any(|scope| scope == CURRENT_SCOPES) => Some(format!(
            "Asking what one may do needs a scope of its own: let somebody who may change this client add {CURRENT_SCOPES} to it, or give it a role that has it."
        )),
        (403, Some(_)) => Some("`falconer current-scopes` shows what the credentials may do.".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate of a private authority was answered with the question whether the server runs.
    #[test]
    fn a_private_authority_is_told_what_to_set() {
        let step = |detail: &str| {
            let error = Error::Network { host: "auth.example.com:443".to_owned(), detail: detail.to_owned(), source: None };
            next_step(&anyhow::Error::from(error)).unwrap()
        };
        assert!(step("invalid peer certificate: UnknownIssuer").contains("SSL_CERT_FILE"));
        assert!(step("Connection refused").contains("does the server run there"));
    }

    #[test]
    fn what_is_missing_is_not_what_is_needed() {
        let text = "Client ID a does not have sufficient scopes and is missing the following scopes:\n\n```\nb\n```\n\nThis request requires the client to \
                    satisfy the following scope expression:\n\n```\n{\n  \"AllOf\": [\n    \"auth:current-scopes\",\n    \"b\"\n  ]\n}\n```";
        assert_eq!(missing(text).filter(|line| !line.is_empty()).collect::<Vec<_>>(), ["b"]);
    }
}
