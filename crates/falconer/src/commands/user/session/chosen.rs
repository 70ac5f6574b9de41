//! Which credentials a command has: those of the environment, or those of a session.

use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use falconer_client::{Credentials, Environment};

use super::store::{SessionStore, Sessions};
use crate::commands::user::server_url;
use crate::output::WrongUse;

/// Where credentials are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `TASKCLUSTER_CLIENT_ID` and those beside it.
    Environment,
    /// The session of this name.
    Session(String),
    /// There are none.
    Nowhere,
}

/// A server, and what calls to it are signed with.
pub struct Chosen {
    /// Without its last slash. `None`: nothing says which.
    pub root_url: Option<String>,
    /// `None`: calls are not signed.
    pub credentials: Option<Credentials>,
    /// Where they are from.
    pub source: Source,
}

/// What the commands of this process sign with, for what is said about a refusal.
static IN_USE: OnceLock<Source> = OnceLock::new();

/// Where the credentials are from that were used; before any were, those of the environment.
pub fn source_in_use() -> Source {
    let of_environment = || Environment::read().ok().and_then(|found| found.credentials);
    let found = IN_USE.get().cloned();
    found.unwrap_or_else(|| if of_environment().is_some() { Source::Environment } else { Source::Nowhere })
}

/// The store, or why there is none.
pub fn store() -> Result<SessionStore> {
    Ok(SessionStore::of_environment()
        .ok_or_else(|| WrongUse("nothing says where sessions are kept: set HOME or FALCONER_SESSIONS".to_owned()))?)
}

/// A session that is named counts. Without a name the environment wins; where it has no credentials it is the session of the server that is named, and
/// where none is named the current one.
pub fn choose(root_url: Option<&str>, session: Option<&str>) -> Result<Chosen> {
    let chosen = match session {
        Some(name) => named(name, root_url)?,
        None => unnamed(root_url)?,
    };
    let _ = IN_USE.set(chosen.source.clone());
    Ok(chosen)
}

fn named(name: &str, root_url: Option<&str>) -> Result<Chosen> {
    let sessions = store()?.read()?;
    let found = sessions.sessions.get(name);
    let session = found.with_context(|| format!("there is no session {name}: `falconer switch` lists those that there are"))?;
    if root_url.is_some_and(|url| url != session.root_url) {
        return Err(WrongUse(format!("the session {name} is at {}: leave --root-url out", session.root_url)).into());
    }
    let credentials = session.credentials()?;
    Ok(Chosen { root_url: Some(session.root_url.clone()), credentials: Some(credentials), source: Source::Session(name.to_owned()) })
}

fn unnamed(root_url: Option<&str>) -> Result<Chosen> {
    let environment = Environment::read().context("the credentials in the environment")?;
    let of_environment = |url: &str| server_url(url).map_err(|why| WrongUse(format!("TASKCLUSTER_ROOT_URL: {why}")));
    let named = match root_url {
        Some(url) => Some(url.to_owned()),
        None => environment.root_url.as_deref().map(of_environment).transpose()?,
    };
    if environment.credentials.is_some() {
        return Ok(Chosen { root_url: named, credentials: environment.credentials, source: Source::Environment });
    }
    let sessions = SessionStore::of_environment().map_or_else(|| Ok(Sessions::default()), |store| store.read())?;
    let found = match &named {
        Some(url) => sessions.of_server(url),
        None => sessions.current(),
    };
    Ok(match found {
        Some((name, session)) => Chosen {
            root_url: Some(session.root_url.clone()),
            credentials: Some(session.credentials()?),
            source: Source::Session(name.clone()),
        },
        None => Chosen { root_url: named, credentials: None, source: Source::Nowhere },
    })
}
