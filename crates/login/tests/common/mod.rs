//! A node in memory with a clock that stands still, randomness that counts, and cheap passwords.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use falconer_auth::{AccessToken, Auth, AuthSettings, Clock, Origin, Random, RequestParts, Verdict};
use falconer_credentials::sign;
use falconer_login::{Choices, GrantRequest, Login, LoginSettings, NewAccount, Offer, PasswordCost, Session, request};
use falconer_store::{Key, KeyRing, RoleRecord, Step, Store};
use falconer_store_sqlite::SqliteStore;

/// 2026-01-01T00:00:00Z.
pub const START_MS: i64 = 1_767_225_600_000;
pub const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;
pub const PASSWORD: &str = "correct horse battery";
pub const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

pub struct FixedClock(AtomicI64);

impl FixedClock {
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Bytes that are never the same twice, and the same in every run.
#[derive(Default)]
pub struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
            let n = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let n = (n ^ (n >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            chunk.copy_from_slice(&n.to_le_bytes()[..chunk.len()]);
        }
    }
}

pub struct World {
    pub login: Login,
    pub auth: Arc<Auth>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<FixedClock>,
}

pub fn settings() -> LoginSettings {
    LoginSettings { password_cost: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 }, ..LoginSettings::default() }
}

impl World {
    pub async fn new() -> World {
        World::with(settings()).await
    }

    /// A fresh installation with the first roles, and a role for the team `zap`.
    pub async fn with(settings: LoginSettings) -> World {
        let sealing = Counting::default();
        let keys = KeyRing::from_bytes("k1", [7; 32]).unwrap();
        let fill = Arc::new(move |bytes: &mut [u8]| sealing.fill(bytes));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory(keys, fill).unwrap());
        let clock = Arc::new(FixedClock(AtomicI64::new(START_MS)));
        let random = Arc::new(Counting::default());
        let origin = Origin::parse("https://auth.example.com").unwrap();
        let auth = Auth::open(Arc::clone(&store), AuthSettings::new(origin), clock.clone(), random.clone());
        let auth = Arc::new(auth.await.unwrap());
        auth.fresh_install(false).await.unwrap();
        let login = Login::open(Arc::clone(&auth), Arc::clone(&store), settings, clock.clone(), random);
        let world = World { login: login.unwrap(), auth, store, clock };
        world.role("local-group:zap", &["notes:read:zap/*", "notes:write:zap/releases"]).await;
        world
    }

    /// Makes or changes a role behind auth's back, and lets it catch up.
    pub async fn role(&self, role_id: &str, scopes: &[&str]) {
        let now_ms = self.clock.now_ms();
        let step = Step {
            decided_at: self.store.revision().await.unwrap(),
            depends_on: vec![Key::Role],
            at_ms: now_ms,
            actor: "test".to_owned(),
            grant: None,
            action: "changed".to_owned(),
            detail: None,
        };
        let role = RoleRecord {
            role_id: role_id.to_owned(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            description: String::new(),
            created_ms: now_ms,
            last_modified_ms: now_ms,
        };
        if self.auth.directory().role(role_id).is_some() {
            self.store.update_role(&step, &role).await.unwrap();
        } else {
            self.store.insert_role(&step, &role).await.unwrap();
        }
        self.auth.catch_up().await.unwrap();
    }

    /// `ann` of the team `zap`.
    pub async fn ann(&self) -> Session {
        self.person("ann", &["zap"], &[]).await
    }

    pub async fn person(&self, name: &str, groups: &[&str], scopes: &[&str]) -> Session {
        let owned = |texts: &[&str]| texts.iter().map(|s| (*s).to_owned()).collect();
        let new = NewAccount {
            name: name.to_owned(),
            display_name: format!("{name} of the tests"),
            email: Some(format!("{name}@example.com")),
            groups: owned(groups),
            scopes: owned(scopes),
        };
        self.login.create_account("test", &new, Some(PASSWORD)).await.unwrap();
        self.sign_in(name).await.1
    }

    /// The cookie's value and the session.
    pub async fn sign_in(&self, name: &str) -> (String, Session) {
        let signed_in = self.login.sign_in_local(name, PASSWORD, ADDRESS, "test browser");
        let signed_in = signed_in.await.unwrap();
        (signed_in.cookie_value, signed_in.session)
    }

    /// The form as the page shows it at first, with the host typed.
    pub async fn form(&self, session: &Session, request: &GrantRequest) -> Choices {
        let offer = self.login.offer(session, request).await.unwrap();
        filled(&offer, self.login.new_nonce(), request)
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
pub fn filled(offer: &Offer, nonce: String, request: &GrantRequest) -> Choices {
    Choices {
        nonce,
        shown: offer.shown.clone(),
        ticked: offer.lines.iter().filter(|line| line.ticked).map(|line| line.key.clone()).collect(),
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
