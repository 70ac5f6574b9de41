//! The node of login's tests, with grants on it.
#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../login/tests/common/mod.rs"]
mod people;

use std::ops::Deref;
use std::sync::Arc;

use falconer_auth::{AccessToken, Clock as _, RequestParts, Verdict};
use falconer_credentials::sign;
use falconer_grants::{Choices, GrantRequest, GrantSettings, Grants, Offer, request};
use falconer_login::Session;
use falconer_store::Store;
pub use people::settings as login_settings;
pub use people::{ADDRESS, Counting, DAY_MS, HOUR_MS, PASSWORD, START_MS, from};

pub struct World {
    people: people::World,
    pub grants: Grants,
}

impl Deref for World {
    type Target = people::World;

    fn deref(&self) -> &people::World {
        &self.people
    }
}

impl World {
    pub async fn new() -> World {
        World::with(GrantSettings::default()).await
    }

    pub async fn with(settings: GrantSettings) -> World {
        World::of(people::World::new().await, settings)
    }

    /// The same in another store than one in memory.
    pub async fn on(store: Arc<dyn Store>, settings: GrantSettings) -> World {
        World::of(people::World::on(store, login_settings()).await, settings)
    }

    fn of(people: people::World, settings: GrantSettings) -> World {
        let grants = Grants::open(people.auth.clone(), people.login.clone(), people.store.clone(), settings).unwrap();
        World { people, grants }
    }

    /// The form as the page shows it at first, with the host typed.
    pub async fn form(&self, session: &Session, request: &GrantRequest) -> Choices {
        let offer = self.grants.offer(session, request).await.unwrap();
        filled(session, &offer, self.grants.new_nonce(), request)
    }

    /// authenticateHawk of a call that the delivered credentials sign, to `host`.
    pub async fn verify(&self, location: &str, host: &str) -> Verdict {
        let credentials = Delivered::read(location);
        let ext = sign::ext(Some(&credentials.certificate), None);
        let header = sign::header(
            &credentials.client_id,
            &AccessToken::new(credentials.access_token),
            &sign::Request {
                method: "GET",
                resource: "/x",
                host,
                port: 443,
                ts_seconds: self.clock.now_ms() / 1000,
                nonce: "nonce",
                hash: None,
                ext: ext.as_deref(),
                app: None,
                dlg: None,
            },
        );
        self.auth.verify(&RequestParts { method: "GET", resource: "/x", host, port: 443, authorization: Some(&header) }).await
    }
}

/// What the page's form sends when nothing was touched but the host field.
pub fn filled(session: &Session, offer: &Offer, nonce: String, request: &GrantRequest) -> Choices {
    Choices {
        remember: false,
        nonce,
        // The page was there since before the clock stands still.
        form_time: session.form_time(START_MS - 1_000),
        visible_ms: Some(5_000),
        news: String::new(),
        shown: offer.shown.clone(),
        ticked: offer.lines.iter().filter(|line| line.ticked).map(|line| line.key.clone()).collect(),
        narrowed: Vec::new(),
        name: String::new(),
        everything: offer.everything.as_ref().is_some_and(|b| b.ticked),
        broad: offer.broad.as_ref().is_some_and(|b| b.ticked),
        identity: offer.identity_line.as_ref().is_some_and(|l| l.ticked),
        lifetime_ms: offer.default_lifetime_ms,
        typed_host: offer.needs_host_typed.then(|| request.target.host().to_owned()),
    }
}

/// `more` is the rest of the query, `&scope=...`.
pub fn asks(more: &str) -> GrantRequest {
    asks_for("https://notes.example.com/login", more)
}

pub fn asks_for(target: &str, more: &str) -> GrantRequest {
    let query = format!("target={target}&description=Notes{more}");
    request::parse(&query, START_MS).unwrap().unwrap()
}

/// The three values of a delivering URL.
pub struct Delivered {
    pub client_id: String,
    pub access_token: String,
    pub certificate: String,
}

impl Delivered {
    pub fn read(location: &str) -> Delivered {
        let url = url::Url::parse(location).unwrap();
        let value = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(n, _)| n == name).unwrap().1.into_owned()
        };
        Delivered { client_id: value("clientId"), access_token: value("accessToken"), certificate: value("certificate") }
    }
}
