//! The ways in which somebody loses what they had.

use anyhow::{Context, Result, bail};
use falconer_credentials::temporary;
use falconer_wire::date_time;
use serde_json::{Value, json};

use super::Place;
use super::grants::{Derived, EndGrant, PERSON, Revoke, person};
use super::tokens::Token;
use crate::clock::now_ms;
use crate::data::data_set::NewClient;
use crate::data::load_data::create_client;
use crate::requests::api::{Api, Keys, segment};
use crate::requests::connection::Connection;

/// The role whose scope is taken away, and the scope.
const ROLE: &str = "/api/auth/v1/roles/bench-revoked";
const SCOPE: &str = "bench:revoked:scope";
const CLIENT: &str = "bench/revoked";
const CLIENT_PATH: &str = "/api/auth/v1/clients/bench%2Frevoked";
const RECORD_PATH: &str = "/api/falconer/v1/clients/bench%2Frevoked";

/// What is used until it is taken away.
pub(crate) enum Given {
    /// Credentials that sign, with the scopes that their requests are narrowed to.
    Signed {
        /// What signs.
        keys: Keys,
        /// The authorized scopes.
        authorized: Option<Vec<String>>,
    },
    /// An access token that is shown.
    Token(String),
}

impl Given {
    /// Credentials whose requests are not narrowed.
    pub(super) fn of(keys: Keys) -> Given {
        Given::Signed { keys, authorized: None }
    }
}

/// One way to lose what one had.
pub(crate) trait Kind {
    /// Makes, or makes good again, a credential that is accepted.
    fn give(&mut self) -> Result<Given>;
    /// Takes it away; when this returns, the acknowledgement was read.
    fn take(&mut self) -> Result<()>;
}

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    ClientDisabled,
    ClientDeleted,
    TokenReset,
    OldTokenEnded,
    CertificatesRevoked,
    SeedRevoked,
    RoleNarrowed,
    GrantRevoked,
    GrantEnded,
    DerivedGrant,
    TokenRevoked,
    TokenRefreshed,
    PersonDisabled,
}

impl What {
    /// In the order in which it is measured.
    pub(crate) const ALL: [What; 13] = [
        What::ClientDisabled,
        What::ClientDeleted,
        What::TokenReset,
        What::OldTokenEnded,
        What::CertificatesRevoked,
        What::SeedRevoked,
        What::RoleNarrowed,
        What::GrantRevoked,
        What::GrantEnded,
        What::DerivedGrant,
        What::TokenRevoked,
        What::TokenRefreshed,
        What::PersonDisabled,
    ];

    /// The id of its row.
    pub(crate) fn id(self) -> &'static str {
        match self {
            What::ClientDisabled => "revoke-disable",
            What::ClientDeleted => "revoke-delete",
            What::TokenReset => "revoke-reset",
            What::OldTokenEnded => "revoke-old-token",
            What::CertificatesRevoked => "revoke-certificates",
            What::SeedRevoked => "revoke-seed",
            What::RoleNarrowed => "revoke-role",
            What::GrantRevoked => "revoke-grant",
            What::GrantEnded => "revoke-end-grant",
            What::DerivedGrant => "revoke-derived",
            What::TokenRevoked => "revoke-token",
            What::TokenRefreshed => "revoke-refreshed",
            What::PersonDisabled => "revoke-person",
        }
    }

    /// Whether it is done with what only Falconer has.
    pub(crate) fn needs_falconer(self) -> bool {
        !matches!(self, What::ClientDisabled | What::ClientDeleted | What::TokenReset | What::RoleNarrowed)
    }

    /// Ready to be given.
    pub(crate) fn at(self, place: &Place<'_>) -> Result<Box<dyn Kind>> {
        let calls = Calls { api: place.api.clone(), connection: place.api.connect()? };
        Ok(match self {
            What::ClientDisabled => Box::new(Disable(calls, None)),
            What::ClientDeleted => Box::new(Delete(calls)),
            What::TokenReset => Box::new(Reset(calls, false)),
            What::OldTokenEnded => Box::new(OldToken(calls, None)),
            What::CertificatesRevoked => Box::new(Certificates { calls, issuer: None, start_ms: 0, seed: None }),
            What::SeedRevoked => Box::new(Certificates { calls, issuer: None, start_ms: 0, seed: Some(String::new()) }),
            What::RoleNarrowed => Box::new(RoleChange(calls, None)),
            What::GrantRevoked => Box::new(Revoke::new(place)?),
            What::GrantEnded => Box::new(EndGrant::new(place)?),
            What::DerivedGrant => Box::new(Derived::new(place)?),
            What::TokenRevoked => Box::new(Token::new(place, calls, false)?),
            What::TokenRefreshed => Box::new(Token::new(place, calls, true)?),
            What::PersonDisabled => {
                // So that the account is there.
                person(place)?;
                Box::new(DisablePerson(calls, None))
            }
        })
    }
}

/// Signed calls over one connection.
pub(super) struct Calls {
    pub(super) api: Api,
    pub(super) connection: Connection,
}

impl Calls {
    pub(super) fn done(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
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
    fn give(&mut self) -> Result<Given> {
        let keys = match self.1.take() {
            Some(keys) => keys,
            None => self.0.client()?,
        };
        self.0.done("POST", &format!("{CLIENT_PATH}/enable"), None)?;
        self.1 = Some(keys.clone());
        Ok(Given::of(keys))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", &format!("{CLIENT_PATH}/disable"), None).map(drop)
    }
}

struct Delete(Calls);

impl Kind for Delete {
    fn give(&mut self) -> Result<Given> {
        Ok(Given::of(self.0.client()?))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("DELETE", CLIENT_PATH, None).map(drop)
    }
}

struct Reset(Calls, bool);

impl Kind for Reset {
    fn give(&mut self) -> Result<Given> {
        if !std::mem::replace(&mut self.1, true) {
            self.0.client()?;
        }
        let reset = self.0.done("POST", &format!("{CLIENT_PATH}/reset"), None)?;
        Ok(Given::of(Keys::new(CLIENT, reset.get("accessToken").and_then(Value::as_str).context("no accessToken")?)))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", &format!("{CLIENT_PATH}/reset"), None).map(drop)
    }
}

/// The access token before the present one, which a reset has let go on, and which is ended.
struct OldToken(Calls, Option<Keys>);

impl Kind for OldToken {
    fn give(&mut self) -> Result<Given> {
        let keys = match self.1.take() {
            Some(keys) => keys,
            None => self.0.client()?,
        };
        let reset = self.0.done("POST", &format!("{RECORD_PATH}/reset-access-token"), Some(&json!({ "overlapSeconds": 3600 })))?;
        // The next one to be replaced.
        self.1 = Some(Keys::new(CLIENT, reset.get("accessToken").and_then(Value::as_str).context("no accessToken")?));
        Ok(Given::of(keys))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", &format!("{RECORD_PATH}/end-old-access-token"), None).map(drop)
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
    fn give(&mut self) -> Result<Given> {
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
        Ok(Given::of(Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) }))
    }

    fn take(&mut self) -> Result<()> {
        let which = match &self.seed {
            Some(seed) => json!({ "seed": seed }),
            None => json!({ "before": date_time::format_ms(self.start_ms + 1) }),
        };
        self.calls.done("POST", &format!("{RECORD_PATH}/revoke-certificates"), Some(&which)).map(drop)
    }
}

/// The requests claim the scope as an authorized one, so that they fail once the role has lost it.
struct RoleChange(Calls, Option<Keys>);

impl Kind for RoleChange {
    fn give(&mut self) -> Result<Given> {
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
        Ok(Given::Signed { keys, authorized: Some(vec![SCOPE.to_owned()]) })
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", ROLE, Some(&json!({ "description": "", "scopes": ["bench:kept"] }))).map(drop)
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
    fn give(&mut self) -> Result<Given> {
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
        Ok(Given::of(keys))
    }

    fn take(&mut self) -> Result<()> {
        self.set("disable")
    }
}
