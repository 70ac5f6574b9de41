//! Falconer in memory, for targets that are requests. A clock that stands still, randomness that repeats.

#![allow(clippy::expect_used, reason = "a tool: what can't be set up is to stop it")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use falconer_auth::{AccessToken, Auth, AuthSettings, Clock, Origin, Random, StaticClient};
use falconer_grants::{GrantSettings, Grants};
use falconer_login::{Login, LoginSettings, ScimSettings, ScimSubjectAttribute};
use falconer_store::KeyRing;
use falconer_store_sqlite::SqliteStore;
use falconer_web::api::Api;
use falconer_web::{Peer, PublicOrigin, RequestLimits, Traced, VersionInfo, Web, WebSettings, router};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// 2026-08-01T12:00:00Z
pub(crate) const NOW_MS: i64 = 1_785_585_600_000;
/// A client that may do a little.
pub(crate) const CLIENT: &str = "static/fuzz/client";
pub(crate) const TOKEN: &str = "fuzz-access-token-00000000000000000000000000-";
pub(crate) const ORIGIN: &str = "https://auth.example.com";
pub(crate) const HOST: &str = "auth.example.com";
/// The tokens of two directories.
pub(crate) const DIRECTORIES: [&str; 2] = ["fuzz-token-of-one-directory-000000000000", "fuzz-token-of-another-directory-00000000"];

struct Standing;

impl Clock for Standing {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }

    fn steady_ms(&self) -> i64 {
        NOW_MS
    }
}

struct Repeating(AtomicU64);

impl Random for Repeating {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let mut rng = fastrand::Rng::with_seed(self.0.fetch_add(1, Ordering::Relaxed));
            *byte = rng.u8(..);
        }
    }
}

/// The routes of pages and the API, and what runs them.
pub(crate) struct Site {
    runtime: Runtime,
    api: Api,
    pages: Router,
}

/// An answer, as far as targets look at it.
pub(crate) struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub body: Vec<u8>,
}

thread_local! {
    static SITE: Site = Site::new();
}

/// Sends a request to the API where its path is below `/api`, else to the pages.
pub(crate) fn send(request: http::request::Builder, body: Vec<u8>) -> Option<Answer> {
    let peer: SocketAddr = ([127, 0, 0, 1], 5555).into();
    // What is no request does not come over a connection either.
    SITE.with(|site| site.send(request.extension(Peer(peer)), body))
}

impl Site {
    pub(crate) fn new() -> Site {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (auth, web) = runtime.block_on(open());
        let settings = web.settings.clone();
        let api = Api::new(auth, Arc::clone(&web.login), Arc::clone(&web.grants), settings, Arc::clone(&web.random), Arc::default());
        Site { runtime, api, pages: router(web) }
    }

    pub(crate) fn send(&self, request: http::request::Builder, body: Vec<u8>) -> Option<Answer> {
        let request = request.header("content-length", body.len()).body(Body::from(body)).ok()?;
        Some(self.runtime.block_on(self.answer(request)))
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = if request.uri().path().starts_with("/api/") {
            self.api.answer(request).await
        } else {
            self.pages.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
        };
        let (parts, body) = response.into_parts();
        let location = parts.headers.get("location").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        // An answer that does not end is one that no target asks for.
        let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        Answer { status: parts.status.as_u16(), location, body }
    }
}

async fn open() -> (Arc<Auth>, Arc<Web>) {
    let (clock, random) = (Arc::new(Standing), Arc::new(Repeating(AtomicU64::new(1))));
    let keys = KeyRing::from_bytes("fuzz", [7; 32]).expect("a key");
    let for_store = Arc::clone(&random);
    let store = SqliteStore::in_memory(keys, Arc::new(move |bytes: &mut [u8]| for_store.fill(bytes))).expect("a store in memory");
    let store = Arc::new(store);
    let mut settings = AuthSettings::new(Origin::parse(ORIGIN).expect("an origin"));
    settings.static_clients = vec![StaticClient {
        client_id: CLIENT.to_owned(),
        access_token: AccessToken::new(TOKEN.to_owned()),
        scopes: vec!["notes:*".to_owned(), "auth:current-scopes".to_owned()],
        description: String::new(),
    }];
    let auth = Auth::open(store.clone(), settings, clock.clone(), random.clone()).await.expect("a node");
    let auth = Arc::new(auth);
    let scim = |name: &str, token: &str| ScimSettings::new(name, token, ScimSubjectAttribute::ExternalId, true, true);
    let [one, another] = DIRECTORIES;
    let settings = LoginSettings { scim: vec![scim("one", one), scim("another", another)], ..LoginSettings::default() };
    let login = Login::open(auth.clone(), store.clone(), settings, clock.clone(), random.clone()).expect("sign-in");
    let login = Arc::new(login);
    let grants = Grants::open(auth.clone(), login.clone(), store, GrantSettings::default()).expect("grants");
    let settings = WebSettings {
        public_origin: PublicOrigin::parse(ORIGIN).expect("an origin"),
        trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")],
        version: VersionInfo { version: "fuzz".to_owned(), commit: String::new() },
        limits: RequestLimits::default(),
    };
    let web = Web {
        auth: auth.clone(),
        login,
        grants: Arc::new(grants),
        clock,
        random,
        log: Arc::new(Traced),
        metrics: Arc::default(),
        traces: None,
        settings,
    };
    (auth, Arc::new(web))
}
