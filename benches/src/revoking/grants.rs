//! Grants of a person, and what programs derive of them: credentials that sign.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Place;
use super::kinds::{Given, Kind};
use crate::requests::api::{Api, Keys};
use crate::requests::browser::Person;
use crate::requests::connection::Connection;
use crate::subjects::account;

/// The account whose grants are used.
pub(super) const PERSON: &str = "bench";
const PASSWORD: &str = "only-for-this-measurement";

/// Grants of a person, revoked on their page from another session.
pub(super) struct Revoke {
    grantor: Person,
    revoker: Person,
    csrf: Option<String>,
    grant: String,
}

impl Revoke {
    pub(super) fn new(place: &Place<'_>) -> Result<Revoke> {
        Ok(Revoke { grantor: person(place)?, revoker: person(place)?, csrf: None, grant: String::new() })
    }
}

/// A session of the account, which is made where it is not there.
pub(super) fn person(place: &Place<'_>) -> Result<Person> {
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
    fn give(&mut self) -> Result<Given> {
        let (keys, grant) = grant(&mut self.grantor)?;
        self.grant = grant;
        if self.csrf.is_none() {
            self.csrf = Some(self.revoker.csrf()?);
        }
        Ok(Given::of(keys))
    }

    fn take(&mut self) -> Result<()> {
        self.revoker.revoke(self.csrf.as_deref().unwrap_or_default(), &self.grant)
    }
}

/// A grant that ends itself, as when somebody signs out.
pub(super) struct EndGrant {
    grantor: Person,
    api: Api,
    connection: Connection,
}

impl EndGrant {
    pub(super) fn new(place: &Place<'_>) -> Result<EndGrant> {
        Ok(EndGrant { grantor: person(place)?, api: place.api.clone(), connection: place.api.connect()? })
    }
}

impl Kind for EndGrant {
    fn give(&mut self) -> Result<Given> {
        let (keys, _) = grant(&mut self.grantor)?;
        self.api = self.api.with(&keys);
        Ok(Given::of(keys))
    }

    fn take(&mut self) -> Result<()> {
        let path = "/api/falconer/v1/end-grant";
        match self.api.call(&mut self.connection, "POST", path, None)? {
            (200..300, _) => Ok(()),
            (status, answer) => bail!("POST {path} answered {status}: {answer}"),
        }
    }
}

/// A part of a grant, which ends with the grant.
pub(super) struct Derived {
    grant: Revoke,
    api: Api,
}

impl Derived {
    pub(super) fn new(place: &Place<'_>) -> Result<Derived> {
        Ok(Derived { grant: Revoke::new(place)?, api: place.api.clone() })
    }
}

impl Kind for Derived {
    fn give(&mut self) -> Result<Given> {
        let Given::Signed { keys, .. } = self.grant.give()? else { bail!("a grant that signs nothing") };
        let wish = json!({ "scopes": ["auth:current-scopes"] });
        let derived = self.api.with(&keys).expect("POST", "/api/falconer/v1/derived-grants", Some(&wish))?;
        let text = |name: &str| {
            let value = derived.pointer(&format!("/credentials/{name}")).and_then(Value::as_str);
            value.map(str::to_owned).with_context(|| format!("no {name} in {derived}"))
        };
        let mut keys = Keys::new(&text("clientId")?, &text("accessToken")?);
        keys.certificate = Some(text("certificate")?);
        Ok(Given::of(keys))
    }

    fn take(&mut self) -> Result<()> {
        self.grant.take()
    }
}
