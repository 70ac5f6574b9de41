//! A node in memory with a clock that stands still, randomness that counts, and cheap passwords.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
#[path = "../../../auth/tests/common/doubles.rs"]
mod doubles;
pub mod hostile;

use std::net::IpAddr;
use std::sync::Arc;

use falconer_auth::{Auth, AuthSettings, Clock, Origin, Random};
use falconer_login::{Login, LoginSettings, NewAccount, PasswordCost, Session, Visitor};
use falconer_store::{Details, Key, KeyRing, RoleRecord, Step, Store};
use falconer_store_sqlite::SqliteStore;

pub use doubles::{Counting, FixedClock};

/// 2026-01-01T00:00:00Z.
pub const START_MS: i64 = 1_767_225_600_000;
pub const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;
pub const PASSWORD: &str = "correct horse battery";
pub const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

/// Somebody at an address, in a browser that has kept nothing.
pub fn from(address: IpAddr) -> Visitor<'static> {
    Visitor { address, user_agent: "", browser: None }
}

pub struct World {
    pub login: Arc<Login>,
    pub auth: Arc<Auth>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<FixedClock>,
}

pub fn settings() -> LoginSettings {
    LoginSettings { password_cost: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 }, ..LoginSettings::default() }
}

/// In memory.
pub fn empty_store() -> Arc<dyn Store> {
    let sealing = Counting::default();
    let keys = KeyRing::from_bytes("k1", [7; 32]).unwrap();
    let fill = Arc::new(move |bytes: &mut [u8]| sealing.fill(bytes));
    Arc::new(SqliteStore::in_memory(keys, fill).unwrap())
}

impl World {
    pub async fn new() -> World {
        World::with(settings()).await
    }

    pub async fn with(settings: LoginSettings) -> World {
        World::on(empty_store(), settings).await
    }

    /// A fresh installation in this store, with the first roles, and a role for the team `zap`.
    pub async fn on(store: Arc<dyn Store>, settings: LoginSettings) -> World {
        let clock = Arc::new(FixedClock::at(START_MS));
        let random = Arc::new(Counting::default());
        let origin = Origin::parse("https://auth.example.com").unwrap();
        let auth = Auth::open(Arc::clone(&store), AuthSettings::new(origin), clock.clone(), random.clone());
        let auth = Arc::new(auth.await.unwrap());
        auth.fresh_install(false).await.unwrap();
        let login = Login::open(Arc::clone(&auth), Arc::clone(&store), settings, clock.clone(), random);
        let world = World { login: Arc::new(login.unwrap()), auth, store, clock };
        world.role("local-group:zap", &["notes:read:zap/*", "notes:write:zap/releases"]).await;
        world
    }

    /// A change behind auth's back.
    pub async fn step(&self, depends_on: Vec<Key>) -> Step {
        Step {
            decided_at: self.store.revision().await.unwrap(),
            depends_on,
            at_ms: self.clock.now_ms(),
            actor: "test".to_owned(),
            grant: None,
            action: "changed".to_owned(),
            detail: None,
            details: Details::default(),
        }
    }

    /// Makes or changes a role behind auth's back, and lets it catch up.
    pub async fn role(&self, role_id: &str, scopes: &[&str]) {
        let now_ms = self.clock.now_ms();
        let step = self.step(vec![Key::Role]).await;
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

    /// Makes a client behind auth's back, and lets it catch up.
    pub async fn client(&self, client_id: &str, scopes: &[&str]) {
        client::make_client(self.store.as_ref(), &self.auth, self.clock.now_ms(), client_id, scopes).await;
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
        let visitor = Visitor { user_agent: "test browser", ..from(ADDRESS) };
        let signed_in = self.login.sign_in_local(name, PASSWORD, &visitor);
        let signed_in = signed_in.await.unwrap();
        (signed_in.cookie_value.to_string(), signed_in.session)
    }
}
