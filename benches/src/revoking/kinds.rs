//! The ways in which somebody loses what they had.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use falconer_credentials::temporary;
use falconer_wire::date_time;
use serde_json::{Value, json};

use super::Place;
use crate::clock::now_ms;
use crate::data::data_set::NewClient;
use crate::data::load_data::create_client;
use crate::requests::api::{Api, Keys, segment};
use crate::requests::browser::Person;
use crate::requests::connection::Connection;
use crate::subjects::account;

/// The role whose scope is taken away, and the scope.
const ROLE: &str = "/api/auth/v1/roles/bench-revoked";
const SCOPE: &str = "bench:revoked:scope";
const CLIENT: &str = "bench/revoked";
const CLIENT_PATH: &str = "/api/auth/v1/clients/bench%2Frevoked";

/// The account whose grants are used.
const PERSON: &str = "bench";
const PASSWORD: &str = "only-for-this-measurement";

/// One way to lose what one had.
pub(crate) trait Kind {
    /// Makes, or makes good again, a credential that is accepted; with the scopes that its requests are narrowed to.
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)>;
    /// Takes it away; when this returns, the acknowledgement was read.
    fn take(&mut self) -> Result<()>;
}

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    ClientDisabled,
    ClientDeleted,
    TokenReset,
    CertificatesRevoked,
    SeedRevoked,
    RoleNarrowed,
    GrantRevoked,
    PersonDisabled,
}

impl What {
    /// In the order in which it is measured.
    pub(crate) const ALL: [What; 8] = [
        What::ClientDisabled,
        What::ClientDeleted,
        What::TokenReset,
        What::CertificatesRevoked,
        What::SeedRevoked,
        What::RoleNarrowed,
        What::GrantRevoked,
        What::PersonDisabled,
    ];

    /// The id of its row.
    pub(crate) fn id(self) -> &'static str {
        match self {
            What::ClientDisabled => "revoke-disable",
            What::ClientDeleted => "revoke-delete",
            What::TokenReset => "revoke-reset",
            What::CertificatesRevoked => "revoke-certificates",
            What::SeedRevoked => "revoke-seed",
            What::RoleNarrowed => "revoke-role",
            What::GrantRevoked => "revoke-grant",
            What::PersonDisabled => "revoke-person",
        }
    }

    /// Whether it is done with what only Falconer has.
    pub(crate) fn needs_falconer(self) -> bool {
        matches!(self, What::GrantRevoked | What::PersonDisabled | What::CertificatesRevoked | What::SeedRevoked)
    }

    /// Ready to be given.
    pub(crate) fn at(self, place: &Place<'_>) -> Result<Box<dyn Kind>> {
        let calls = Calls { api: place.api.clone(), connection: place.api.connect()? };
        Ok(match self {
            What::ClientDisabled => Box::new(Disable(calls, None)),
            What::ClientDeleted => Box::new(Delete(calls)),
            What::TokenReset => Box::new(Reset(calls, false)),
            What::CertificatesRevoked => Box::new(Certificates { calls, issuer: None, start_ms: 0, seed: None }),
            What::SeedRevoked => Box::new(Certificates { calls, issuer: None, start_ms: 0, seed: Some(String::new()) }),
            What::RoleNarrowed => Box::new(RoleChange(calls, None)),
            What::GrantRevoked => Box::new(Revoke::new(place)?),
            What::PersonDisabled => {
                // So that the account is there.
                person(place)?;
                Box::new(DisablePerson(calls, None))
            }
        })
    }
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

    /// A new one in the place of what an earlier kind has left.
    fn client(&mut self) -> Result<Keys> {
        self.done("DELETE", CLIENT_PATH, None)?;
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
            self.0.client()?;
        }
        let reset = self.0.done("POST", &format!("{CLIENT_PATH}/reset"), None)?;
        Ok((Keys::new(CLIENT, reset.get("accessToken").and_then(Value::as_str).context("no accessToken")?), None))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", &format!("{CLIENT_PATH}/reset"), None).map(drop)
    }
}

/// Temporary credentials, revoked by their start, or by their seed where there is one.
struct Certificates {
    calls: Calls,
    issuer: Option<Keys>,
    start_ms: i64,
    seed: Option<String>,
}

impl Kind for Certificates {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        // So many seeds are remembered of one client: each round has another.
        let issuer = match self.issuer.take() {
            Some(issuer) if self.seed.is_none() => issuer,
            _ => self.calls.client()?,
        };
        let mut random = fastrand::Rng::new();
        let seed: String = (0..44).map(|_| random.alphanumeric()).collect();
        // As late as the clock, and behind what was revoked.
        self.start_ms = now_ms()?.max(self.start_ms + 1);
        let scopes = ["bench:revoked:own".to_owned()];
        let issued = temporary::create(CLIENT, &issuer.token, None, &scopes, self.start_ms, self.start_ms + 3_600_000, &seed)?;
        self.seed = self.seed.take().map(|_| seed);
        self.issuer = Some(issuer);
        Ok((Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) }, None))
    }

    fn take(&mut self) -> Result<()> {
        let which = match &self.seed {
            Some(seed) => json!({ "seed": seed }),
            None => json!({ "before": date_time::format_ms(self.start_ms + 1) }),
        };
        self.calls.done("POST", "/api/falconer/v1/clients/bench%2Frevoked/revoke-certificates", Some(&which)).map(drop)
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
    fn new(place: &Place<'_>) -> Result<Revoke> {
        Ok(Revoke { grantor: person(place)?, revoker: person(place)?, csrf: None, grant: String::new() })
    }
}

/// A session of the account, which is made where it is not there.
fn person(place: &Place<'_>) -> Result<Person> {
    // Cookies and origins go by the name that the server knows itself by.
    let address = place.api.address.replace("127.0.0.1", "localhost");
    if let Ok(person) = Person::sign_in(&address, PERSON, PASSWORD) {
        return Ok(person);
    }
    account::create((place.command)()?, PERSON, PASSWORD)?;
    let began = Instant::now();
    // The server takes in within a second what was written beside it.
    loop {
        match Person::sign_in(&address, PERSON, PASSWORD) {
            Err(_) if began.elapsed() < Duration::from_secs(5) => std::thread::sleep(Duration::from_millis(600)),
            other => return other,
        }
    }
}

fn grant(person: &mut Person) -> Result<(Keys, String)> {
    person.grant("https://notes.example.com/", &["auth:current-scopes"])
}

impl Kind for Revoke {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        let (keys, grant) = grant(&mut self.grantor)?;
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

/// A person who may do nothing any more, and a client of theirs, which is worth something again once they may.
struct DisablePerson(Calls, Option<Keys>);

impl DisablePerson {
    fn set(&mut self, word: &str) -> Result<()> {
        let identity = segment(&format!("local/{PERSON}"));
        self.0.done("POST", &format!("/api/falconer/v1/people/{identity}/{word}"), None).map(drop)
    }
}

impl Kind for DisablePerson {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        self.set("enable")?;
        let keys = match self.1.take() {
            Some(keys) => keys,
            None => {
                let client = NewClient { client_id: format!("local/{PERSON}/robot"), scopes: vec!["auth:current-scopes".to_owned()] };
                self.0.done("DELETE", &format!("/api/auth/v1/clients/{}", segment(&client.client_id)), None)?;
                create_client(&self.0.api, &mut self.0.connection, &client)?
            }
        };
        self.1 = Some(keys.clone());
        Ok((keys, None))
    }

    fn take(&mut self) -> Result<()> {
        self.set("disable")
    }
}
