//! A node in memory with a clock that stands still, randomness that counts, and people who sign.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod doubles;
pub mod failing;

use std::sync::Arc;

use falconer_auth::{
    AccessToken, Auth, AuthSettings, Authentication, ClientInput, Clock, DAY_MS, Origin, Random, RequestParts, RoleInput, Verdict,
};
use falconer_credentials::sign;
use falconer_store::{Details, IdentityRecord, KeyRing, Revision, Step, Store};
use falconer_store_sqlite::SqliteStore;

pub use doubles::{Counting, FixedClock};

/// 2026-01-01T00:00:00Z.
pub const START_MS: i64 = 1_767_225_600_000;
pub const HOST: &str = "auth.example.com";

/// What signs a request.
#[derive(Clone)]
pub struct Keys {
    pub id: String,
    pub token: AccessToken,
    pub certificate: Option<String>,
}

impl Keys {
    pub fn new(id: &str, token: &str) -> Keys {
        Keys { id: id.to_owned(), token: AccessToken::new(token.to_owned()), certificate: None }
    }
}

pub struct World {
    pub auth: Auth,
    pub store: Arc<dyn Store>,
    pub clock: Arc<FixedClock>,
    pub random: Arc<Counting>,
    pub root: Keys,
}

pub fn settings() -> AuthSettings {
    AuthSettings::new(Origin::parse(&format!("https://{HOST}")).unwrap())
}

pub fn memory_store() -> Arc<dyn Store> {
    let random = Counting::default();
    let keys = KeyRing::from_bytes("k1", [7; 32]).unwrap();
    Arc::new(SqliteStore::in_memory(keys, Arc::new(move |bytes: &mut [u8]| random.fill(bytes))).unwrap())
}

impl World {
    /// A fresh node without roles, and its root client.
    pub async fn bare() -> World {
        World::with(settings(), true).await
    }

    pub async fn with(settings: AuthSettings, bare: bool) -> World {
        let store = memory_store();
        let clock = Arc::new(FixedClock::at(START_MS));
        let random = Arc::new(Counting::default());
        let auth = Auth::open(Arc::clone(&store), settings, clock.clone(), random.clone()).await.unwrap();
        let root = auth.fresh_install(bare).await.unwrap();
        let root = Keys { id: root.client_id, token: root.access_token, certificate: None };
        World { auth, store, clock, random, root }
    }

    /// The same store, opened again.
    pub async fn reopen(&self, settings: AuthSettings) -> Auth {
        Auth::open(Arc::clone(&self.store), settings, self.clock.clone(), self.random.clone()).await.unwrap()
    }

    pub fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The Authorization header of a GET of `resource` at `host`.
    pub fn sign(&self, keys: &Keys, resource: &str, host: &str, port: u16, authorized: Option<&[String]>) -> String {
        let ext = sign::ext(keys.certificate.as_deref(), authorized);
        let request = sign::Request {
            method: "GET",
            resource,
            host,
            port,
            ts_seconds: self.now() / 1000,
            nonce: "nonce",
            hash: None,
            ext: ext.as_deref(),
            app: None,
            dlg: None,
        };
        sign::header(&keys.id, &keys.token, &request)
    }

    /// authenticateHawk of a call that `keys` sign.
    pub async fn verify(&self, keys: &Keys) -> Verdict {
        self.verify_at(keys, "svc.example.com", 443, None).await
    }

    pub async fn verify_at(&self, keys: &Keys, host: &str, port: u16, authorized: Option<&[String]>) -> Verdict {
        let header = self.sign(keys, "/x", host, port, authorized);
        self.auth.verify(&RequestParts { method: "get", resource: "/x", host, port, authorization: Some(&header) }).await
    }

    /// A call to Falconer's own API.
    pub async fn call(&self, keys: &Keys) -> Authentication {
        let header = self.sign(keys, "/x", HOST, 443, None);
        self.auth.authenticate(&RequestParts { method: "GET", resource: "/x", host: HOST, port: 443, authorization: Some(&header) }).await
    }

    pub async fn as_root(&self) -> Authentication {
        self.call(&self.root).await
    }

    /// Makes a client as root, and gives its keys.
    pub async fn client(&self, id: &str, scopes: &[&str]) -> Keys {
        let root = self.as_root().await;
        let (view, _) = self.auth.create_client(&root, id, &self.input(scopes)).await.unwrap();
        Keys::new(id, view.access_token.unwrap().expose())
    }

    /// Makes or changes a role as root.
    pub async fn role(&self, id: &str, scopes: &[&str]) {
        let root = self.as_root().await;
        let input = RoleInput { scopes: strings(scopes), description: String::new() };
        if self.auth.directory().role(id).is_some() {
            self.auth.update_role(&root, id, &input).await.unwrap();
        } else {
            self.auth.create_role(&root, id, &input).await.unwrap();
        }
    }

    pub async fn person(&self, identity: &str, scopes: &[&str]) {
        self.auth.put_identity(identity, &person(identity, scopes, self.now())).await.unwrap();
    }

    pub fn input(&self, scopes: &[&str]) -> ClientInput {
        ClientInput {
            expires_us: (self.now() + 365 * DAY_MS) * 1000,
            description: "a client".to_owned(),
            scopes: Some(strings(scopes)),
            delete_on_expiration: false,
        }
    }
}

pub fn person(identity: &str, scopes: &[&str], now_ms: i64) -> IdentityRecord {
    let (provider, subject) = identity.split_once('/').unwrap();
    IdentityRecord {
        identity: identity.to_owned(),
        person: format!("person of {identity}"),
        provider: provider.to_owned(),
        subject: subject.to_owned(),
        display_name: "Ann".to_owned(),
        email: Some("ann@example.com".to_owned()),
        email_verified: true,
        username: None,
        groups: Vec::new(),
        scopes: strings(scopes),
        additions: Vec::new(),
        refreshed_ms: now_ms,
        disabled: false,
        gone: false,
    }
}

pub fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub fn scopes_of(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Success(success) => success.scopes.to_vec(),
        Verdict::NoAuth { scopes, .. } => scopes.to_vec(),
        Verdict::Failed(reason) => panic!("failed: {reason}"),
        Verdict::Unable(unable) => panic!("unable: {unable}"),
    }
}

/// What the protocol says of an error: the text of a 403 is made where it is sent.
pub fn sent_text(error: &falconer_auth::ApiError) -> String {
    match error {
        falconer_auth::ApiError::InsufficientScopes { client_id, missing, required } => {
            falconer_wire::error::insufficient_scopes(client_id.as_deref(), missing, required)
        }
        other => other.to_string(),
    }
}

pub fn message_of(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Failed(reason) => reason.to_string(),
        other => panic!("did not fail: {other:?}"),
    }
}

/// A grant for a day to `notes.example.com`.
pub fn new_grant(identity: &str, scopes: &[&str], now_ms: i64) -> falconer_auth::NewGrant {
    falconer_auth::NewGrant {
        identity: identity.to_owned(),
        signed_in_by: identity.to_owned(),
        host: "notes.example.com".to_owned(),
        target: "https://notes.example.com/".to_owned(),
        target_origin: "https://notes.example.com".to_owned(),
        scopes: falconer_scopes::ScopeSet::new(scopes),
        everything: false,
        identity_for: Vec::new(),
        expires_ms: now_ms + DAY_MS,
        nonce: String::new(),
        choices: String::new(),
        name: None,
        label: String::new(),
        application: None,
        purpose: None,
        widens: None,
    }
}

/// A change that somebody makes past every node, as another process does.
pub fn step_beside(decided_at: Revision, at_ms: i64) -> Step {
    Step {
        decided_at,
        depends_on: Vec::new(),
        at_ms,
        actor: "beside".to_owned(),
        grant: None,
        action: "created".to_owned(),
        detail: None,
        details: Details::default(),
    }
}
