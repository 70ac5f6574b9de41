//! A node in memory, with a clock of its own, behind the API's router; and the ways in which requests are signed.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod conforms;
mod doubles;
pub mod methods;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use falconer_auth::{AccessToken, Auth, AuthSettings, Clock, NewGrant, Origin, Random, StaticClient};
use falconer_credentials::{payload, sign};
use falconer_grants::{GrantSettings, Grants};
use falconer_login::{Login, LoginSettings, PasswordCost};
use falconer_store::{IdentityRecord, KeyRing, Store};
use falconer_store_sqlite::SqliteStore;
use falconer_web::{Peer, PublicOrigin, RequestLimits, VersionInfo, WebSettings, api::Api};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

pub use doubles::{TestClock, TestRandom};

pub const ROOT: &str = "static/taskcluster/root";
pub const ROOT_TOKEN: &str = "root-test-access-token-00000000000000000000-";
pub const HOST: &str = "localhost";
pub const PORT: u16 = 60700;
/// 2026-08-01T12:00:00Z
pub const START_MS: i64 = 1_785_585_600_000;

pub struct Node {
    pub api: Api,
    pub auth: Arc<Auth>,
    pub login: Arc<Login>,
    pub grants: Arc<Grants>,
    pub clock: Arc<TestClock>,
    pub store: Arc<dyn Store>,
}

pub fn static_client(id: &str, token: &str, scopes: &[&str], description: &str) -> StaticClient {
    StaticClient {
        client_id: id.to_owned(),
        access_token: AccessToken::new(token.to_owned()),
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        description: description.to_owned(),
    }
}

pub async fn node() -> Node {
    node_with(vec![static_client(ROOT, ROOT_TOKEN, &["*"], "root")], &[], &[]).await
}

pub async fn node_with(static_clients: Vec<StaticClient>, hawk_origins: &[&str], trusted: &[&str]) -> Node {
    node_configured(static_clients, hawk_origins, trusted, |_| ()).await
}

/// The same with further settings.
pub async fn node_configured(
    static_clients: Vec<StaticClient>,
    hawk_origins: &[&str],
    trusted: &[&str],
    configure: impl FnOnce(&mut AuthSettings),
) -> Node {
    let clock = Arc::new(TestClock(AtomicI64::new(START_MS)));
    let random = Arc::new(TestRandom::new());
    let keys = KeyRing::from_bytes("test", [7; 32]).unwrap();
    let for_store = Arc::clone(&random);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory(keys, Arc::new(move |bytes: &mut [u8]| for_store.fill(bytes))).unwrap());
    let root_url = format!("http://{HOST}:{PORT}");
    let mut settings = AuthSettings::new(Origin::parse(&root_url).unwrap());
    settings.static_clients = static_clients;
    settings.hawk_origins = hawk_origins.iter().map(|o| Origin::parse(o).unwrap()).collect();
    configure(&mut settings);
    let auth = Arc::new(Auth::open(store.clone(), settings, clock.clone(), random.clone()).await.unwrap());
    let login = LoginSettings { password_cost: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 }, ..LoginSettings::default() };
    let login = Login::open(auth.clone(), store.clone(), login, clock.clone(), random.clone());
    let login = Arc::new(login.unwrap());
    let settings = WebSettings {
        public_origin: PublicOrigin::parse(&root_url).unwrap(),
        trusted_proxies: trusted.iter().map(|n| n.parse().unwrap()).collect(),
        version: VersionInfo { version: "dev".to_owned(), commit: String::new() },
        limits: RequestLimits::default(),
    };
    let grants = Arc::new(Grants::open(auth.clone(), login.clone(), store.clone(), GrantSettings::default()).unwrap());
    let api = Api::new(auth.clone(), login.clone(), grants.clone(), settings, random, std::sync::Arc::default());
    Node { api, auth, login, grants, clock, store }
}

/// How a request is signed.
#[derive(Clone, Default)]
pub struct Credentials {
    pub id: String,
    pub token: String,
    pub certificate: Option<String>,
    pub authorized_scopes: Option<Vec<String>>,
    pub ext: Option<String>,
    pub ts_seconds: Option<i64>,
    pub hash: Option<String>,
}

pub fn root() -> Credentials {
    client(ROOT, ROOT_TOKEN)
}

pub fn client(id: &str, token: &str) -> Credentials {
    Credentials { id: id.to_owned(), token: token.to_owned(), ..Credentials::default() }
}

impl Credentials {
    pub fn restricted_to(mut self, scopes: &[&str]) -> Credentials {
        self.authorized_scopes = Some(scopes.iter().map(|s| (*s).to_owned()).collect());
        self
    }

    fn ext(&self) -> Option<String> {
        self.ext.clone().or_else(|| sign::ext(self.certificate.as_deref(), self.authorized_scopes.as_deref()))
    }
}

/// One request, as it is about to be sent.
#[derive(Clone)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    pub host: String,
    pub signed_for: Option<(String, u16)>,
    pub auth: Option<Credentials>,
    pub bewit: Option<(Credentials, i64)>,
}

pub fn call(method: &str, path: &str) -> Call {
    Call {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
        host: format!("{HOST}:{PORT}"),
        signed_for: None,
        auth: None,
        bewit: None,
    }
}

/// The same below the prefix of the API.
pub fn api(method: &str, route: &str) -> Call {
    call(method, &format!("/api/auth/v1{route}"))
}

impl Call {
    pub fn by(mut self, auth: Credentials) -> Call {
        self.auth = Some(auth);
        self
    }

    pub fn json(self, body: Value) -> Call {
        self.raw("application/json", body.to_string())
    }

    pub fn raw(self, content_type: &str, body: impl Into<Vec<u8>>) -> Call {
        self.header("content-type", content_type).body(body)
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Call {
        self.body = Some(body.into());
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The request as bytes on the wire would make it: with a content length where there is a body.
    pub fn request(&self, now_ms: i64) -> Request<Body> {
        let (host, port) = self.signed_for.clone().unwrap_or_else(|| (HOST.to_owned(), PORT));
        let mut path = self.path.clone();
        if let Some((who, ttl_seconds)) = &self.bewit {
            let token = AccessToken::new(who.token.clone());
            let bewit = sign::bewit(&who.id, &token, &path, &host, port, now_ms / 1000 + ttl_seconds, who.ext().as_deref());
            path = format!("{path}{}bewit={bewit}", if path.contains('?') { '&' } else { '?' });
        }
        let mut request = Request::builder().method(self.method.as_str()).uri(&path).header("host", &self.host);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(who) = &self.auth {
            let token = AccessToken::new(who.token.clone());
            let ext = who.ext();
            let signed = sign::Request {
                method: &self.method,
                resource: &path,
                host: &host,
                port,
                ts_seconds: who.ts_seconds.unwrap_or(now_ms / 1000),
                nonce: "abcdef",
                hash: who.hash.as_deref(),
                ext: ext.as_deref(),
                app: None,
                dlg: None,
            };
            request = request.header("authorization", sign::header(&who.id, &token, &signed));
        }
        if let Some(body) = &self.body {
            request = request.header("content-length", body.len());
        }
        let peer: SocketAddr = "127.0.0.1:5555".parse().unwrap();
        request.extension(Peer(peer)).body(self.body.clone().map_or_else(Body::empty, Body::from)).unwrap()
    }
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub bytes: Vec<u8>,
    /// The body as JSON, or null.
    pub json: Value,
}

impl Answer {
    pub async fn of(response: Response<Body>) -> Answer {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, bytes, json }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    /// The message without its trailer.
    pub fn message(&self) -> &str {
        self.json["message"].as_str().unwrap_or("").split("\n\n---\n").next().unwrap()
    }
}

impl Node {
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub fn advance(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub async fn send(&self, call: Call) -> Answer {
        let answer = Answer::of(self.api.answer(call.request(self.now_ms())).await).await;
        conforms::check(&call, &answer);
        answer
    }

    /// Makes a client with the root's credentials and returns how to sign as it.
    pub async fn new_client(&self, id: &str, scopes: &[&str]) -> Credentials {
        let path = format!("/clients/{}", falconer_wire::urls::encode_segment(id));
        let body = serde_json::json!({ "expires": "2030-01-01T00:00:00Z", "description": "", "scopes": scopes });
        let answer = self.send(api("PUT", &path).by(root()).json(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        client(id, answer.json["accessToken"].as_str().unwrap())
    }

    pub async fn new_role(&self, id: &str, scopes: &[&str]) {
        let path = format!("/roles/{}", falconer_wire::urls::encode_segment(id));
        let answer = self.send(api("PUT", &path).by(root()).json(serde_json::json!({ "description": "", "scopes": scopes }))).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
    }
}

/// A person who may do everything under `auth:` and has just signed in.
pub const PERSON: &str = "local/ann";

impl Node {
    pub async fn new_person(&self) {
        let record = IdentityRecord {
            identity: PERSON.to_owned(),
            person: "person of ann".to_owned(),
            provider: "local".to_owned(),
            subject: "ann".to_owned(),
            display_name: "Ann".to_owned(),
            email: Some("ann@example.com".to_owned()),
            email_verified: true,
            username: None,
            groups: Vec::new(),
            scopes: vec!["auth:*".to_owned(), "x:*".to_owned()],
            additions: Vec::new(),
            refreshed_ms: self.now_ms(),
            disabled: false,
            gone: false,
        };
        self.auth.put_identity("test", &record).await.unwrap();
    }

    /// A grant of a day for these scopes, that tells the target who the person is; its id and its credentials.
    pub async fn new_grant(&self, scopes: &[&str]) -> (String, Credentials) {
        let new = NewGrant {
            identity: PERSON.to_owned(),
            signed_in_by: PERSON.to_owned(),
            host: "notes.example.com".to_owned(),
            target: "https://notes.example.com/".to_owned(),
            target_origin: "https://notes.example.com".to_owned(),
            scopes: self.auth.expand(scopes),
            everything: false,
            identity_for: vec!["https://notes.example.com".to_owned()],
            expires_ms: self.now_ms() + 86_400_000,
            nonce: "nonce".to_owned(),
            choices: "choices".to_owned(),
            name: None,
            label: String::new(),
            application: None,
            purpose: None,
            widens: None,
        };
        let issued = self.auth.add_grant(new).await.unwrap();
        let issued_credentials = issued.credentials;
        (
            issued.grant.id,
            Credentials {
                certificate: Some(issued_credentials.certificate),
                ..client(&issued_credentials.client_id, issued_credentials.access_token.expose())
            },
        )
    }
}

pub fn hash_of(content_type: &str, body: &[u8]) -> String {
    payload::hash(content_type, body)
}
