//! The ways in which somebody loses what they had.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Stage;
use crate::data::data_set::NewClient;
use crate::data::load_data::create_client;
use crate::requests::api::{Api, Keys};
use crate::requests::browser::Person;
use crate::requests::connection::Connection;

/// The role whose scope is taken away, and the scope.
const ROLE: &str = "/api/auth/v1/roles/bench-revoked";
const SCOPE: &str = "bench:revoked:scope";
const CLIENT: &str = "bench/revoked";
const CLIENT_PATH: &str = "/api/auth/v1/clients/bench%2Frevoked";

/// One way to lose what one had.
pub(super) trait Kind {
    /// Makes, or makes good again, a credential that is accepted; with the scopes that its requests are narrowed to.
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)>;
    /// Takes it away; when this returns, the acknowledgement was read.
    fn take(&mut self) -> Result<()>;
}

pub(super) fn kind(stage: &Stage<'_>, id: &str) -> Result<Box<dyn Kind>> {
    let calls = Calls { api: stage.subject.api.clone(), connection: stage.subject.api.connect()? };
    Ok(match id {
        "revoke-disable" => Box::new(Disable(calls, None)),
        "revoke-delete" => Box::new(Delete(calls)),
        "revoke-reset" => Box::new(Reset(calls, false)),
        "revoke-role" => Box::new(RoleChange(calls, None)),
        _ => Box::new(Revoke::new(stage)?),
    })
}

/// Signed calls over one connection.
struct Calls {
    api: Api,
    connection: Connection,
}

impl Calls {
    fn done(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        match self.api.call(&mut self.connection, method, path, body)? {
            (200..300, answer) => Ok(answer),
            (status, answer) => bail!("{method} {path} answered {status}: {answer}"),
        }
    }

    fn client(&mut self) -> Result<Keys> {
        let scopes = vec!["bench:revoked:own".to_owned(), "assume:bench-revoked".to_owned()];
        create_client(&self.api, &mut self.connection, &NewClient { client_id: CLIENT.to_owned(), scopes })
    }
}

struct Disable(Calls, Option<Keys>);

impl Kind for Disable {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        let keys = match self.1.take() {
            Some(keys) => keys,
            None => self.0.client()?,
        };
        self.0.done("POST", &format!("{CLIENT_PATH}/enable"), None)?;
        self.1 = Some(keys.clone());
        Ok((keys, None))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", &format!("{CLIENT_PATH}/disable"), None).map(drop)
    }
}

struct Delete(Calls);

impl Kind for Delete {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        // What an earlier kind has left.
        self.take()?;
        Ok((self.0.client()?, None))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("DELETE", CLIENT_PATH, None).map(drop)
    }
}

struct Reset(Calls, bool);

impl Kind for Reset {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        if !std::mem::replace(&mut self.1, true) {
            self.0.done("DELETE", CLIENT_PATH, None)?;
            self.0.client()?;
        }
        let reset = self.0.done("POST", &format!("{CLIENT_PATH}/reset"), None)?;
        Ok((Keys::new(CLIENT, reset.get("accessToken").and_then(Value::as_str).context("no accessToken")?), None))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", &format!("{CLIENT_PATH}/reset"), None).map(drop)
    }
}

/// The requests claim the scope as an authorized one, so that they fail once the role has lost it.
struct RoleChange(Calls, Option<Keys>);

impl Kind for RoleChange {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        let body = json!({ "description": "", "scopes": ["bench:kept", SCOPE] });
        let keys = match self.1.take() {
            Some(keys) => {
                self.0.done("POST", ROLE, Some(&body))?;
                keys
            }
            None => {
                self.0.done("DELETE", CLIENT_PATH, None)?;
                self.0.done("DELETE", ROLE, None)?;
                self.0.done("PUT", ROLE, Some(&body))?;
                self.0.client()?
            }
        };
        self.1 = Some(keys.clone());
        Ok((keys, Some(vec![SCOPE.to_owned()])))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", ROLE, Some(&json!({ "description": "", "scopes": ["bench:kept"] }))).map(drop)
    }
}

/// Grants of a person, revoked on their page from another session.
struct Revoke {
    grantor: Person,
    revoker: Person,
    csrf: Option<String>,
    grant: String,
}

impl Revoke {
    fn new(stage: &Stage<'_>) -> Result<Revoke> {
        const NAME: &str = "bench";
        let password = "only-for-this-measurement";
        let mut add = Command::new(&stage.options.binary);
        add.args(["account", "create", NAME, "--password-stdin", "--scope", "auth:current-scopes", "--data-dir"])
            .arg(stage.subject.data_dir());
        let mut child =
            add.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("falconer account create")?;
        child.stdin.take().context("no stdin")?.write_all(format!("{password}\n").as_bytes())?;
        let done = child.wait_with_output()?;
        if !done.status.success() {
            bail!("falconer account create: {}", String::from_utf8_lossy(&done.stderr));
        }
        // Cookies and origins go by the name that the server knows itself by.
        let address = stage.subject.api.address.replace("127.0.0.1", "localhost");
        let began = Instant::now();
        // The server takes in within a second what was written beside it.
        let sign_in = || loop {
            match Person::sign_in(&address, NAME, password) {
                Err(_) if began.elapsed() < Duration::from_secs(5) => std::thread::sleep(Duration::from_millis(600)),
                other => return other,
            }
        };
        Ok(Revoke { grantor: sign_in()?, revoker: sign_in()?, csrf: None, grant: String::new() })
    }
}

impl Kind for Revoke {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        let (keys, grant) = self.grantor.grant("https://notes.example.com/", &["auth:current-scopes"])?;
        self.grant = grant;
        if self.csrf.is_none() {
            self.csrf = Some(self.revoker.csrf()?);
        }
        Ok((keys, None))
    }

    fn take(&mut self) -> Result<()> {
        self.revoker.revoke(self.csrf.as_deref().unwrap_or_default(), &self.grant)
    }
}
