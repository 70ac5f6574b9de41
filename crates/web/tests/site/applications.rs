//! Applications that are registered, and what they do.

use std::sync::atomic::Ordering;

use falconer_auth::{AccessToken, DAY_MS};
use falconer_credentials::{payload, sign};
use falconer_grants::{ApplicationKind, ApplicationSettings, OfflineService, SigningAlgorithm};
use falconer_login::{pkce_challenge, sha256_hex};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde_json::Value;

use super::{Browser, Page, Site, encode};

pub const CALLBACK: &str = "https://app.example/cb";
pub const LOOPBACK: &str = "http://127.0.0.1:4000/cb";
pub const SECRET: &str = "s3cret of the \"server\" & more: 100%";
pub const VERIFIER: &str = "a-verifier-of-at-least-43-characters-as-RFC-7636-says";

/// A service that verifies tokens by itself.
pub const OFFLINE: &str = "https://offline.example/api";

/// Another one.
pub const SECOND_OFFLINE: &str = "https://second.example/api";

pub fn offline_services() -> Vec<OfflineService> {
    let scopes = ["notes:read:*", "notes:a b", "shelf:*"].map(str::to_owned).to_vec();
    let service = |resource: &str| OfflineService { resource: resource.to_owned(), scopes: scopes.clone(), alg: SigningAlgorithm::Es256 };
    vec![service(OFFLINE), service(SECOND_OFFLINE)]
}

/// `page` (public), `server` (confidential), `other` (public), `old-code` and `old-token` (of the reference), and those of the recorded sessions.
pub fn all() -> Vec<ApplicationSettings> {
    let application = |id: &str, kind, redirect_uris: &[&str]| ApplicationSettings {
        id: id.to_owned(),
        name: format!("The <{id}> application"),
        owner: String::new(),
        redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
        scopes: ["notes:read:*", "notes:write:mine", "notes:a b", "auth:create-role:*"].map(str::to_owned).to_vec(),
        max_life_ms: 3 * DAY_MS,
        kind,
        secret_sha256: None,
        agent: false,
        keys: Vec::new(),
        device: false,
        remember_ms: 0,
        skip_consent: false,
        dpop_bound_access_tokens: false,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::Es256,
        backchannel_logout_uri: String::new(),
    };
    let who = |id: &str, kind| ApplicationSettings {
        scopes: ["openid", "profile", "email", "groups", "notes:read:*"].map(str::to_owned).to_vec(),
        device: kind == ApplicationKind::Public,
        ..application(id, kind, &[CALLBACK, "http://127.0.0.1:4000/out"])
    };
    let unasked = |id: &str| ApplicationSettings {
        scopes: ["openid", "profile", "email", "notes:read:*", "notes:write:mine", "shelf:burn:*"].map(str::to_owned).to_vec(),
        ..application(id, ApplicationKind::Public, &[CALLBACK, "https://app.example/other"])
    };
    vec![
        application("page", ApplicationKind::Public, &[CALLBACK, LOOPBACK, "https://app.example/cb?tenant=1"]),
        ApplicationSettings {
            secret_sha256: Some(sha256_hex(SECRET)),
            ..application("server", ApplicationKind::Confidential, &["https://server.example/cb"])
        },
        // These ask who people are.
        who("who", ApplicationKind::Public),
        ApplicationSettings {
            secret_sha256: Some(sha256_hex(SECRET)),
            id_token_alg: SigningAlgorithm::EdDsa,
            ..who("who-server", ApplicationKind::Confidential)
        },
        // These need not ask each time, or not at all.
        ApplicationSettings { remember_ms: 30 * DAY_MS, ..unasked("remembered") },
        ApplicationSettings { skip_consent: true, ..unasked("ours") },
        // For RS256, of which there is no key.
        ApplicationSettings { id_token_alg: SigningAlgorithm::Rs256, ..who("who-rsa", ApplicationKind::Public) },
        // It acts of its own accord.
        ApplicationSettings { agent: true, ..application("helper", ApplicationKind::Public, &[CALLBACK]) },
        // On devices only, and on devices too.
        ApplicationSettings { device: true, ..application("tv", ApplicationKind::Public, &[]) },
        ApplicationSettings {
            device: true,
            secret_sha256: Some(sha256_hex(SECRET)),
            ..application("box", ApplicationKind::Confidential, &["https://box.example/cb"])
        },
        // What it asks for it pushes.
        ApplicationSettings {
            secret_sha256: Some(sha256_hex(SECRET)),
            pushed_only: true,
            ..application("pusher", ApplicationKind::Confidential, &["https://pusher.example/cb"])
        },
        application("other", ApplicationKind::Public, &["https://other.example/cb", CALLBACK]),
        // It gets no token that is bound to no key.
        ApplicationSettings { dpop_bound_access_tokens: true, ..application("prover", ApplicationKind::Public, &[CALLBACK]) },
        application("old-code", ApplicationKind::ReferenceCode, &[CALLBACK, "http://localhost:4000/cb"]),
        application("old-token", ApplicationKind::ReferenceToken, &[CALLBACK]),
    ]
    .into_iter()
    .chain(recorded())
    .collect()
}

/// As the reference had them.
fn recorded() -> impl Iterator<Item = ApplicationSettings> {
    [
        ("code", ApplicationKind::ReferenceCode, CALLBACK, vec!["tags:get:*", "tags:set:mine"]),
        ("greedy", ApplicationKind::ReferenceCode, "http://localhost:4000/x?y=1", vec!["secrets:*"]),
        ("tok", ApplicationKind::ReferenceToken, CALLBACK, vec!["tags:get:*"]),
        ("white", ApplicationKind::ReferenceCode, CALLBACK, vec!["tags:get:*"]),
        ("whitetok", ApplicationKind::ReferenceToken, CALLBACK, vec!["tags:get:*"]),
    ]
    .into_iter()
    .map(|(id, kind, redirect_uri, scopes)| ApplicationSettings {
        id: id.to_owned(),
        name: id.to_owned(),
        owner: String::new(),
        redirect_uris: vec![redirect_uri.to_owned()],
        scopes: scopes.into_iter().map(str::to_owned).collect(),
        max_life_ms: 3 * DAY_MS,
        kind,
        secret_sha256: None,
        agent: false,
        keys: Vec::new(),
        device: false,
        remember_ms: 0,
        skip_consent: false,
        dpop_bound_access_tokens: false,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::Es256,
        backchannel_logout_uri: String::new(),
    })
}

/// Parameters by name.
pub type Fields = Vec<(String, String)>;

pub fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What `page` asks for.
pub fn authorization_fields() -> Fields {
    fields(&[
        ("response_type", "code"),
        ("client_id", "page"),
        ("redirect_uri", CALLBACK),
        ("scope", "notes:read:* notes:write:mine"),
        ("state", "st&1"),
        ("code_challenge", &pkce_challenge(VERIFIER)),
        ("code_challenge_method", "S256"),
    ])
}

pub fn authorize(fields: &Fields) -> String {
    format!("/login/oauth/authorize?{}", encode(fields))
}

pub const DECISION: &str = "/login/oauth/authorize/decision";

pub const LOGOUT_DECISION: &str = "/login/oauth/logout/decision";

/// The value of a parameter in the query, or behind the fragment.
pub fn parameter(location: &str, name: &str) -> Option<String> {
    let (_, query) = location.split_once(['?', '#'])?;
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

impl Browser<'_> {
    /// Goes to the page of a request and presses Grant; the address that the application is given.
    pub async fn grant(&mut self, authorization_fields: &Fields) -> String {
        let page = self.bring(&authorize(authorization_fields)).await;
        assert_eq!(page.status, StatusCode::OK, "{} {}", page.header("location"), page.text);
        let form = super::with(page.form(DECISION), &[("visible_ms", "2000")]);
        self.post(DECISION, &form).await.location().to_owned()
    }

    /// What stands where a request leads: one that was pushed goes on at an address of its own.
    pub async fn bring(&mut self, path: &str) -> Page {
        let page = self.get(path).await;
        let begun = page.header("location").to_owned();
        if begun.starts_with("/login/oauth/authorize?") { self.get(&begun).await } else { page }
    }

    /// The same, as far as the code.
    pub async fn code(&mut self, authorization_fields: &Fields) -> String {
        let location = self.grant(authorization_fields).await;
        parameter(&location, "code").unwrap_or_else(|| panic!("no code in {location}"))
    }
}

/// The exchange of a code of `page`.
pub fn exchange(code: &str) -> Fields {
    fields(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", "page"),
        ("code_verifier", VERIFIER),
    ])
}

impl Site {
    /// What an application sends behind the page.
    pub async fn application(&self, path: &str, fields: &Fields, authorization: Option<&str>) -> Page {
        let mut request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(ACCEPT, "application/json");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.send(request.body(encode(fields).into()).unwrap()).await
    }

    pub async fn token(&self, fields: &Fields) -> Page {
        self.application("/login/oauth/token", fields, None).await
    }

    /// The API, signed with credentials of a grant.
    pub async fn by_hawk(&self, credentials: &Value, path: &str, body: &Value) -> Page {
        self.signed(Method::POST, credentials, path, body).await
    }

    /// The same with another method.
    pub async fn signed(&self, method: Method, credentials: &Value, path: &str, body: &Value) -> Page {
        let text = |name: &str| credentials[name].as_str().unwrap();
        let body = body.to_string();
        let ext = sign::ext(Some(text("certificate")), None);
        let hash = payload::hash("application/json", body.as_bytes());
        let signed = sign::Request {
            method: method.as_str(),
            resource: path,
            host: "auth.example.com",
            port: 443,
            ts_seconds: self.clock.0.load(Ordering::SeqCst) / 1000,
            nonce: "abcdef",
            hash: Some(&hash),
            ext: ext.as_deref(),
            app: None,
            dlg: None,
        };
        let header = sign::header(text("clientId"), &AccessToken::new(text("accessToken").to_owned()), &signed);
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header("host", "auth.example.com:443")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, header);
        self.send(request.body(body.into()).unwrap()).await
    }

    pub async fn credentials(&self, token: &str) -> Page {
        let request = Request::builder().method(Method::GET).uri("/login/oauth/credentials");
        self.send(request.header(AUTHORIZATION, format!("Bearer {token}")).body(axum::body::Body::empty()).unwrap()).await
    }
}

impl Page {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// `error` of an answer of OAuth 2, with its status and what each such answer has.
    pub fn oauth_error(&self) -> (u16, String) {
        assert_eq!(self.header("cache-control"), "no-store");
        let json = self.json();
        assert!(json["error_description"].is_string(), "{json}");
        (self.status.as_u16(), json["error"].as_str().unwrap().to_owned())
    }
}
