//! What the commands of a user share: the server and the credentials, from the environment of the published clients or from a session.

use anyhow::{Result, bail};
use falconer_client::{Client, Credentials};

use super::session::{self, Chosen, Source, choose};
use crate::output::{self, WrongUse};

/// `--root-url` and `--json`.
#[derive(clap::Args, Clone)]
pub struct UserOptions {
    #[command(flatten)]
    server: ServerOptions,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `--root-url` and `--session`.
#[derive(clap::Args, Clone)]
pub struct ServerOptions {
    /// The server; by default TASKCLUSTER_ROOT_URL, or that of the session
    #[arg(long, value_name = "URL", value_parser = server_url)]
    root_url: Option<String>,
    /// The session, by its name; by default the credentials of the environment, and where there are none the session of the server, or the current one
    #[arg(long, value_name = "NAME", value_parser = session::name)]
    session: Option<String>,
}

impl std::ops::Deref for UserOptions {
    type Target = ServerOptions;

    fn deref(&self) -> &ServerOptions {
        &self.server
    }
}

impl ServerOptions {
    /// A server that another command's flag names; by default that of the environment or of the session.
    pub fn at(root_url: Option<String>) -> ServerOptions {
        ServerOptions { root_url, session: None }
    }

    /// What the flags, the environment and the sessions say.
    pub fn chosen(&self) -> Result<Chosen> {
        choose(self.root_url.as_deref(), self.session.as_deref())
    }

    /// The name that was given for a session.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The root URL, from the flag, the environment or the session.
    pub fn root_url(&self) -> Result<String> {
        root_url_of(&self.chosen()?)
    }

    /// The server to sign in at: that of a session which is to be replaced where nothing else is named.
    pub fn root_url_to_sign_in(&self) -> Result<String> {
        let known = |name: &str| Ok::<_, anyhow::Error>(session::store()?.read()?.sessions.contains_key(name));
        let is_known = self.session.as_deref().map(known).transpose()?;
        let session = self.session.as_deref().filter(|_| is_known == Some(true) && self.root_url.is_none());
        root_url_of(&choose(self.root_url.as_deref(), session)?)
    }

    /// A client with the credentials of the environment or of a session, or without any.
    pub fn client(&self) -> Result<Client> {
        let chosen = self.chosen()?;
        client_of(&root_url_of(&chosen)?, live(chosen)?)
    }

    /// The same with credentials that may have ended: to say so, or to end them.
    pub fn client_whatever_its_end(&self) -> Result<Client> {
        let chosen = self.chosen()?;
        client_of(&root_url_of(&chosen)?, chosen)
    }

    /// The same for calls to whatever `url` belongs to, which may be no server of the protocol: the time comes from the server that is chosen, and from nobody where
    /// none is. A service whose time was believed could collect signatures for later.
    pub fn client_for(&self, url: &str) -> Result<Client> {
        Client::check_root_url(url)?;
        let chosen = live(self.chosen()?)?;
        match chosen.root_url.clone() {
            Some(root_url) => client_of(&root_url, chosen),
            None => Ok(client_of(url, chosen)?.without_learned_time()),
        }
    }
}

/// Whoever reads this has no session yet: `signin` needs the address as well, and was once named as where it comes from.
pub const NO_SERVER: &str = "no server: give --root-url https://auth.example.com, or set TASKCLUSTER_ROOT_URL; \
     `falconer signin --root-url https://auth.example.com` begins a session, which knows its server";

fn root_url_of(chosen: &Chosen) -> Result<String> {
    let missing = || WrongUse(NO_SERVER.to_owned());
    Ok(chosen.root_url.clone().ok_or_else(missing)?)
}

/// A session that is over is said to be, rather than sent.
fn live(chosen: Chosen) -> Result<Chosen> {
    let ends_ms = chosen.credentials.as_ref().and_then(Credentials::expires_ms);
    if let (Source::Session(name), Some(ends_ms)) = (&chosen.source, ends_ms)
        && ends_ms <= falconer_client::system::now_ms()
    {
        bail!("the session {name} has ended at {}: `falconer signin` begins another", output::time(ends_ms));
    }
    Ok(chosen)
}

fn client_of(url: &str, chosen: Chosen) -> Result<Client> {
    let client = Client::new(url)?;
    Ok(match chosen.credentials {
        Some(credentials) => client.with_credentials(credentials),
        None => client,
    })
}

/// A URL of a server, without its last slash.
pub fn server_url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(format!("`{text}` is no http or https URL; write something like https://auth.example.com")),
    }
}

/// The grant whose credentials the commands use, by its clientId, with its end.
pub fn grant_in_use(options: &ServerOptions) -> Option<(String, String)> {
    let credentials = options.chosen().ok()?.credentials?;
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
