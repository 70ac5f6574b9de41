//! Applications that prove who they are by a key (RFC 7523 section 2.2, `private_key_jwt` of OpenID Connect Core 1.0 section 9).

mod accepted;
mod changed;
mod refused;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::dpop::Holder;
use crate::site::applications::{Fields, fields};
use crate::site::{Page, Site, site};
use falconer_auth::{ApplicationInput, Authentication, DAY_MS};
use falconer_grants::keys_of_jwks;
use serde_json::{Value, json};

const ISSUER: &str = "https://auth.example.com";
const TOKEN: &str = "https://auth.example.com/login/oauth/token";
const INTROSPECT: &str = "/login/oauth/introspect";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const CALLBACK: &str = "https://keyed.example/cb";

/// A site with the application `keyed`, which has two keys, `a` and `b`.
struct World {
    site: Site,
    keys: [Holder; 2],
    count: AtomicUsize,
}

/// The key, as a set has it.
fn jwk(key: &Holder, id: &str) -> Value {
    let mut jwk = key.jwk();
    jwk["kid"] = id.into();
    jwk
}

fn keyed(keys: &[Value]) -> ApplicationInput {
    ApplicationInput {
        name: "Keyed".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        scopes: vec!["notes:read:*".to_owned()],
        max_life_ms: DAY_MS,
        confidential: true,
        keys: keys_of_jwks(&json!({ "keys": keys }).to_string()).unwrap(),
        ..ApplicationInput::default()
    }
}

fn admin() -> Authentication {
    Authentication::person("local/admin")
}

impl World {
    async fn new() -> World {
        let world = World { site: site().await, keys: [Holder::new(), Holder::new()], count: AtomicUsize::new(0) };
        world.site.somebody("admin", &["auth:*", "notes:*"]).await;
        world.put("keyed", &[jwk(&world.keys[0], "a"), jwk(&world.keys[1], "b")]).await;
        world
    }

    async fn put(&self, id: &str, keys: &[Value]) {
        self.site.web.grants.put_application(&admin(), id, &keyed(keys), None).await.unwrap();
    }

    fn now_seconds(&self) -> i64 {
        self.site.clock.0.load(Ordering::SeqCst) / 1000
    }

    /// What counts, each time with another `jti`.
    fn claims(&self) -> Value {
        let jti = format!("jti-{}", self.count.fetch_add(1, Ordering::SeqCst));
        json!({"iss": "keyed", "sub": "keyed", "aud": ISSUER, "jti": jti, "iat": self.now_seconds(), "exp": self.now_seconds() + 60})
    }

    fn signed(&self, claims: &Value) -> String {
        self.keys[0].signed(&header(), claims)
    }

    fn assertion(&self) -> String {
        self.signed(&self.claims())
    }

    async fn introspects(&self, assertion: &str) -> Page {
        self.site.application(INTROSPECT, &by(assertion, &[("token", "x")]), None).await
    }
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "a"})
}

/// The parameters of a request with an assertion.
fn by(assertion: &str, more: &[(&str, &str)]) -> Fields {
    let mut all = fields(&[("client_assertion_type", TYPE), ("client_assertion", assertion)]);
    all.extend(fields(more));
    all
}

const REFUSED: &str = "401 `invalid_client`";
const TAKEN: &str = "the application is known by it";

/// The section, what is tried, and what comes of it. A test says each in what it asserts.
const ROWS: [(&str, &str, &str); 22] = [
    ("RFC 7523 2.2", "a code is exchanged with an assertion", TAKEN),
    ("RFC 7523 2.2", "a refresh token is exchanged with an assertion", TAKEN),
    ("RFC 7523 2.2", "a request is pushed with an assertion", TAKEN),
    ("RFC 7523 2.2", "a token is revoked with an assertion", TAKEN),
    ("RFC 7523 2.2", "a token is introspected with an assertion", TAKEN),
    ("RFC 8628 3.1", "a device asks with an assertion", TAKEN),
    ("RFC 9126 2", "the assertion of a pushed request is for the endpoint of pushed requests", TAKEN),
    ("RFC 9126 2", "neither the assertion nor its type is in what was pushed", "holds"),
    ("RFC 7523 3", "`jti`: one assertion twice at one endpoint", REFUSED),
    ("RFC 7523 3", "`jti`: one assertion at two endpoints", REFUSED),
    ("RFC 7523 3", "`jti`: the same with other claims", REFUSED),
    ("RFC 7523 3", "`jti`: 64 times at once", "one is taken"),
    ("RFC 7523 3", "`jti`: the same of another application", TAKEN),
    ("OpenID Core 9", "the secret of an application that has keys", REFUSED),
    ("OpenID Core 9", "an assertion of an application that has a secret", REFUSED),
    ("OpenID Core 9", "both keys while they change", TAKEN),
    ("OpenID Core 9", "a key that was removed since", REFUSED),
    ("OpenID Core 9", "a key of an application that was deleted since", REFUSED),
    ("RFC 7591 2", "an application registers itself with `jwks`", "it has keys, and no secret"),
    ("RFC 7592 2.2", "it changes its keys", "the new one counts, the old one does not"),
    ("RFC 7592 2.2", "it drops what an administrator asked of it: `require_pushed_authorization_requests`", "that stays"),
    (
        "RFC 8414 2",
        "`token_endpoint_auth_methods_supported` and the algorithms",
        "`private_key_jwt`, with `ES256`, `Ed25519`, `EdDSA`, `ES384`, `PS256`, `RS256`",
    ),
];

/// What an assertion of a test is about. It has to be a row.
fn row(what: &'static str) -> &'static str {
    assert!(ROWS.iter().any(|(_, known, _)| *known == what), "{what} is no row");
    what
}

/// All of the plan: the section, what is tried, and what comes of it.
pub fn rows() -> Vec<(String, String, String)> {
    let rows = ROWS.iter().map(|(section, what, comes)| ((*section).to_owned(), (*what).to_owned(), (*comes).to_owned()));
    rows.chain(refused::rows()).chain(accepted::rows()).collect()
}

#[test]
fn a_test_says_each_row() {
    let tests = [include_str!("accepted.rs"), include_str!("changed.rs"), include_str!("refused.rs")].concat();
    for (_, what, _) in ROWS {
        assert_eq!(tests.matches(&format!("row(\"{what}\")")).count(), 1, "{what}");
    }
}
