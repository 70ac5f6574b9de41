use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use falconer_client::{Client, Credentials, Environment, GrantEnd, Retry};
use falconer_gateway::{GivenCredentials, SigningProxy};
use falconer_wire::GrantCredentials;
use zeroize::Zeroizing;

use crate::commands::user::signing_in::oauth::OAuthServer;
use crate::commands::user::signing_in::{Wish, through_browser};
use crate::commands::user::{NO_SERVER, ServerOptions, server_url};
use crate::output::WrongUse;

/// How often a file is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A file of credentials is not larger.
const LARGEST_FILE_BYTES: u64 = 1024 * 1024;
/// A grant is renewed this long before its end, or after nine tenths of its life if that is later.
const BEFORE_END: Duration = Duration::from_secs(10 * 60);

/// Where credentials come from.
pub enum Source {
    /// `TASKCLUSTER_CLIENT_ID` and those beside it, or a session.
    Environment,
    /// A file of JSON.
    File(PathBuf),
    /// The page that grants access.
    Grant(Grant),
}

/// What is asked for on the page.
pub struct Grant {
    /// Nothing for all that the person may do.
    pub scopes: Vec<String>,
    /// A lifetime.
    pub expires: Option<String>,
    /// The address is printed only.
    pub no_browser: bool,
}

/// What the proxy begins with.
pub struct StartingCredentials {
    pub root_url: String,
    pub credentials: Option<Credentials>,
    pub renewal: Renewal,
}

/// What keeps credentials fresh.
pub enum Renewal {
    /// Nothing.
    None,
    /// A change of the file, as it was read.
    File(PathBuf, Option<Stamp>),
    /// The page, when this much of the credentials' life is over; and the present credentials.
    Grant(Grant, Option<Duration>, OwnGrant),
}

/// The newest credentials that the proxy itself was granted: nobody else has them, so that they end with it.
#[derive(Clone)]
pub struct OwnGrant(Arc<Mutex<Credentials>>);

impl OwnGrant {
    /// Has Falconer end it, and says where that is not known to have been done. Waits no longer than somebody who has pressed Ctrl-C would.
    pub async fn end(&self, root_url: &str) -> Result<()> {
        let credentials = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let retry = Retry { tries: 2, timeout: Duration::from_secs(5), ..Retry::default() };
        let client = Client::new(root_url)?.with_retry(retry).with_credentials(credentials);
        if let GrantEnd::Counts(error) | GrantEnd::NotKnown(error) = client.end_grant().await {
            tracing::warn!("the grant of this proxy may count to its end: {error}; it is listed at {root_url}/me/grants");
        }
        Ok(())
    }
}

/// What a file shows of a change: when it was written, its size, and which file it is.
type Stamp = (std::time::SystemTime, u64, u64);

impl Source {
    /// The first credentials. None are an error, unless others may follow by a request.
    pub async fn first(self, root_url: Option<String>, others_follow: bool) -> Result<StartingCredentials> {
        let environment = match &self {
            Source::Environment => Environment::read(),
            // Of an environment whose credentials don't count, half of them is no matter.
            Source::File(_) | Source::Grant(_) => {
                Environment::from_lookup(|name| (name == "TASKCLUSTER_ROOT_URL").then(|| std::env::var(name).ok()).flatten())
            }
        };
        let environment = environment.context("the credentials in the environment")?;
        let server = |of_file: Option<String>| {
            let url = root_url.clone().or(of_file).or_else(|| environment.root_url.clone());
            let url = url.ok_or_else(|| WrongUse(NO_SERVER.to_owned()))?;
            server_url(&url).map_err(WrongUse)
        };
        match self {
            Source::Environment => {
                if environment.credentials.is_none() && !others_follow {
                    let chosen = ServerOptions::at(root_url.clone()).chosen()?;
                    let (Some(root_url), Some(credentials)) = (chosen.root_url, chosen.credentials) else {
                        bail!(
                            "there are no credentials: set TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN, give --credentials FILE or --signin, or begin a session with \
                             `falconer signin`"
                        );
                    };
                    return Ok(StartingCredentials { root_url, credentials: Some(credentials), renewal: Renewal::None });
                }
                Ok(StartingCredentials { root_url: server(None)?, credentials: environment.credentials.clone(), renewal: Renewal::None })
            }
            Source::File(file) => {
                let stamp = stamp(&file);
                let given = read(&file)?;
                Ok(StartingCredentials {
                    root_url: server(given.root_url)?,
                    credentials: Some(given.credentials),
                    renewal: Renewal::File(file, stamp),
                })
            }
            Source::Grant(grant) => {
                let root_url = server(None)?;
                let (credentials, rest) = grant.ask(&root_url, Some(Duration::from_secs(600))).await?;
                let own = OwnGrant(Arc::new(Mutex::new(credentials.clone())));
                Ok(StartingCredentials { root_url, credentials: Some(credentials), renewal: Renewal::Grant(grant, rest, own) })
            }
        }
    }
}

impl Grant {
    /// Asks on the page, and says after how long to ask again.
    async fn ask(&self, root_url: &str, timeout: Option<Duration>) -> Result<(Credentials, Option<Duration>)> {
        let server = OAuthServer::at(root_url)?;
        let wish = Wish {
            scopes: &self.scopes,
            expires: self.expires.as_deref(),
            description: Some("The signing proxy on your own machine, which signs the requests of programs that you run."),
            opens_browser: !self.no_browser,
            port: 0,
            timeout,
            // What is typed belongs to the program that runs with the proxy.
            takes_pasted: false,
        };
        let GrantCredentials { client_id, access_token, certificate } =
            through_browser(&server, server.command_line().await?, &wish).await?.credentials;
        let credentials = Credentials::new(client_id, access_token);
        if certificate.is_empty() {
            return Ok((credentials, None));
        }
        let rest = renewed_after(&certificate, falconer_client::system::now_ms());
        Ok((credentials.with_certificate(certificate)?, rest))
    }
}

/// After how long to ask again. A certificate begins some minutes before it was made; a clock that is outside of its time is wrong, and is not asked.
fn renewed_after(certificate: &str, now_ms: i64) -> Option<Duration> {
    let certificate: serde_json::Value = serde_json::from_str(certificate).ok()?;
    let time = |name: &str| certificate.get(name).and_then(serde_json::Value::as_i64);
    let (start_ms, expiry_ms) = (time("start")?, time("expiry")?);
    let life_ms = if (start_ms..expiry_ms).contains(&now_ms) { expiry_ms - now_ms } else { expiry_ms.checked_sub(start_ms)? / 2 };
    let life = Duration::from_millis(u64::try_from(life_ms).ok()?);
    Some(life.saturating_sub(BEFORE_END).max(life / 10 * 9))
}

impl Renewal {
    /// What ends with the proxy.
    pub fn own(&self) -> Option<OwnGrant> {
        if let Renewal::Grant(_, _, own) = self { Some(own.clone()) } else { None }
    }

    /// Keeps the credentials of `proxy` fresh, for as long as it is let.
    pub async fn keep(self, root_url: String, proxy: SigningProxy) {
        match self {
            Renewal::None => {}
            Renewal::File(file, stamp) => follow(&file, stamp, &proxy).await,
            Renewal::Grant(grant, mut rest, own) => {
                while let Some(wait) = rest {
                    tokio::time::sleep(wait).await;
                    eprintln!("The credentials end soon.");
                    // The old ones hold to their end, and the person may come later than that.
                    rest = match grant.ask(&root_url, None).await {
                        Ok((credentials, rest)) => {
                            tracing::info!(client_id = credentials.client_id(), "credentials were renewed");
                            *own.0.lock().unwrap_or_else(PoisonError::into_inner) = credentials.clone();
                            proxy.replace(credentials);
                            rest
                        }
                        Err(error) => {
                            tracing::warn!("the credentials are not renewed, and end: {error:#}");
                            None
                        }
                    };
                }
            }
        }
    }
}

async fn follow(file: &Path, mut known: Option<Stamp>, proxy: &SigningProxy) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let now = stamp(file);
        if now == known || now.is_none() {
            continue;
        }
        known = now;
        match read(file) {
            Ok(given) => {
                tracing::info!(client_id = given.credentials.client_id(), "credentials were read again");
                proxy.replace(given.credentials);
            }
            // Somebody may be writing it: the next change is looked at again.
            Err(error) => tracing::warn!("the credentials stay as they were: {error:#}"),
        }
    }
}

fn read(file: &Path) -> Result<GivenCredentials> {
    let said = || format!("can't read the credentials {}", file.display());
    let found = std::fs::metadata(file).with_context(said)?;
    if found.len() > LARGEST_FILE_BYTES {
        bail!("{}: the file is larger than any credentials", said());
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            bail!("{}: others on this machine can open it (mode {mode:o}): `chmod 600 {}`", said(), file.display());
        }
    }
    let text = Zeroizing::new(std::fs::read(file).with_context(said)?);
    GivenCredentials::parse(&text).with_context(said)
}

fn stamp(file: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let which = std::os::unix::fs::MetadataExt::ino(&found);
    #[cfg(not(unix))]
    let which = 0;
    Some((found.modified().ok()?, found.len(), which))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_renewed_before_its_end() {
        let after = |now_s: i64, expiry_s: i64| {
            let certificate = serde_json::json!({"start": 1_000_000, "expiry": expiry_s * 1000}).to_string();
            renewed_after(&certificate, now_s * 1000).map(|wait| wait.as_secs())
        };
        assert_eq!(after(1300, 1300 + 3600), Some(3240));
        assert_eq!(after(1300, 1300 + 86_400), Some(86_400 - 600));
        assert_eq!(after(1300, 1310), Some(9));
        // A clock that is years off.
        assert_eq!(after(5, 1000 + 7200), Some(3240));
        assert_eq!(after(9_000_000, 1000 + 7200), Some(3240));
        assert_eq!(after(10, 5), None);
        assert_eq!(renewed_after("{}", 0), None);
    }
}
