//! What the commands of a user share: the server and the credentials, from the environment of the published clients.

use anyhow::{Context, Result};
use falconer_client::{Client, Environment};

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

/// The grant whose credentials are in the environment, by its clientId, with its end.
pub fn grant_of_environment() -> Option<(String, String)> {
    let credentials = Environment::read().ok()?.credentials?;
    let certificate: serde_json::Value = serde_json::from_str(credentials.certificate()?).ok()?;
    let of_grant = certificate.get("issuer")?.as_str()?.starts_with("static/falconer/grants-");
    let end = falconer_wire::date_time::format_ms(credentials.expires_ms()?);
    of_grant.then(|| (credentials.client_id().to_owned(), end))
}

/// A service, rather than the server of the environment, refused a call: what [`next_step`](super::next_step()) is told beside the refusal.
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
