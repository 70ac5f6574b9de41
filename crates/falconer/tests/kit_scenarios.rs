//! What a service behind the Rust kit answers, from the cases that all kits share, against the real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod kit;
mod support;

use std::collections::BTreeMap;

use falconer_client::{Client, Credentials};
use falconer_middleware::{Caller, Expression, Proof, Refusal, SignedRequest, Verifier};
use http::Method;
use kit::raw::{self, RawCase};
use kit::{Case, Elsewhere, Input, Service, judge, send, wire};
use serde_json::json;
use support::{Server, init};

const CASES: &str = include_str!("../../../vectors/ours/scenarios.json");
const RAW_CASES: &str = include_str!("../../../vectors/ours/raw-requests.json");

/// The running server, and what the tests do on it as its administrator.
struct Falconer {
    server: Server,
    admin: Client,
    created: std::cell::Cell<u32>,
    _folder: tempfile::TempDir,
}

impl Falconer {
    fn start() -> Falconer {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let root = init(&data);
        let server = Server::start(&data);
        let admin = server.client(&root);
        Falconer { server, admin, created: std::cell::Cell::new(0), _folder: folder }
    }

    async fn administer(&self, method: Method, path: &str, body: Option<&serde_json::Value>) -> serde_json::Value {
        let url = format!("{}/api/auth/v1{path}", self.server.root_url);
        let text = body.map(ToString::to_string);
        let answer = self.admin.fetch(&method, &url, text.as_deref().map(str::as_bytes)).await.unwrap();
        serde_json::from_slice(&answer).unwrap_or_default()
    }

    async fn client(&self, scopes: &[&str]) -> Credentials {
        let name = format!("rust/{}", self.created.replace(self.created.get() + 1));
        let path = format!("/clients/{}", falconer_client::encode_segment(&name).unwrap());
        let body = json!({"expires": "2099-01-01T00:00:00.000Z", "description": "", "scopes": scopes});
        let created = self.administer(Method::PUT, &path, Some(&body)).await;
        Credentials::new(name, created["accessToken"].as_str().unwrap())
    }

    /// Makes the client of a case, and does to it what happened since.
    async fn caller(&self, input: &Input) -> Option<kit::Key> {
        let caller = input.caller.as_ref()?;
        let scopes: Vec<&str> = caller.scopes.iter().map(String::as_str).collect();
        let created = self.client(&scopes).await;
        let mut key = kit::Key::of(&created);
        if let Some(times) = &caller.temporary {
            key = kit::Key::temporary(&created, &caller.scopes, times.start_seconds.unwrap_or(-60), times.expiry_seconds.unwrap_or(3600));
        }
        let path = format!("/clients/{}", falconer_client::encode_segment(created.client_id()).unwrap());
        match caller.state.as_deref() {
            None => {}
            Some("disabled") => drop(self.administer(Method::POST, &format!("{path}/disable"), None).await),
            Some("deleted") => drop(self.administer(Method::DELETE, &path, None).await),
            Some("reset") => drop(self.administer(Method::POST, &format!("{path}/reset"), None).await),
            Some("wrong-token") => key = kit::Key::of(&Credentials::new(created.client_id(), "x".repeat(44))),
            Some("unknown") => key.client_id = "rust/nobody".to_owned(),
            Some(other) => panic!("{other}"),
        }
        Some(key)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() >= 80, "{}", cases.len());
    let (falconer, elsewhere) = (Falconer::start(), Elsewhere::start().await);
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let root = elsewhere.root(case.input.falconer.as_deref(), &falconer.server.root_url);
        let host = case.input.host.as_deref().unwrap_or("127.0.0.1");
        let key = format!("{root} {host} {:?}", case.input.service);
        if !services.contains_key(&key) {
            services
                .insert(key.clone(), Service::start(&root, host, &case.input.service, kit::timeout(case.input.falconer.as_deref())).await);
        }
        let service = &services[&key];
        let bytes = wire(case, service, falconer.caller(&case.input).await.as_ref());
        for _ in 0..case.input.times.unwrap_or(1) {
            let answer =
                send(service, &bytes).await.replace(&format!("http://{}", service.authority()), "<origin>").replace(&root, "<falconer>");
            if let Err(said) = judge(&answer, &case.expected) {
                wrong.push(format!("{}: {said}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Requests that no client library would send.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_raw_request() {
    let cases: Vec<RawCase> = serde_json::from_str(RAW_CASES).unwrap();
    assert!(cases.len() >= 71, "{}", cases.len());
    let falconer = Falconer::start();
    let mut wrong = Vec::new();
    for case in &cases {
        let service = Service::start(&falconer.server.root_url, "127.0.0.1", &case.input.of.service, kit::timeout(None)).await;
        let key = falconer.caller(&case.input.of).await;
        let said = raw::exchange(&service, &case.input, key.as_ref()).await;
        if let Err(problem) = raw::judge(&said, &case.expected) {
            wrong.push(format!("{}: {problem}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// More than the route said: one question for a list, what a deputy may do, and what is gone meanwhile.
#[tokio::test]
async fn a_caller_is_asked_about_more() {
    let falconer = Falconer::start();
    let verifier =
        Verifier::new(&falconer.server.root_url, "https://notes.example.com").unwrap().with_revealed(["assume:mozilla-user:"]).unwrap();
    let scope = |text: &str| Expression::Scope(text.to_owned());
    let reader = falconer.client(&["notes:read:*", "notes:write:red", "assume:mozilla-user:ann@example.com", "auth:current-scopes"]).await;
    let ask = async |credentials: &Credentials| -> Result<Caller, Refusal> {
        let signing = Client::new(&falconer.server.root_url).unwrap().with_credentials(credentials.clone());
        let header = signing.authorization(&Method::GET, "https://notes.example.com/books/red", None).unwrap().unwrap();
        let request = SignedRequest {
            method: "GET",
            resource: "/books/red",
            authorization: Some(header.as_bytes()),
            proof: Proof::Nothing,
            source_ip: None,
        };
        verifier.check(&request, &scope("notes:read:red")).await?.with_body("", b"")
    };
    let caller = ask(&reader).await.unwrap();
    assert!(caller.has(&scope("notes:write:red")).await.unwrap() && !caller.has(&scope("notes:write:blue")).await.unwrap());
    assert!(caller.is_person("mozilla-user:ann@example.com").unwrap());
    assert_eq!(caller.is_person("team:ann").unwrap_err().reason(), Some("misconfigured"));
    let many: Vec<Expression> = (0..200).map(|at| scope(if at % 2 == 0 { "notes:write:red" } else { "notes:write:blue" })).collect();
    assert_eq!(caller.has_each(&many).await.unwrap(), (0..200).map(|at| at % 2 == 0).collect::<Vec<_>>());
    let long: Vec<Expression> = (0..100).map(|_| scope(&format!("notes:write:{}", "b".repeat(300)))).collect();
    assert_eq!(caller.has_each(&long).await.unwrap(), vec![false; 100]);

    // A deputy: its own credentials may do anything, and the call is worth what the caller has.
    let scopes = caller.authorized_scopes(&["auth:current-scopes", "notes:read:red"]).await.unwrap();
    let narrow = falconer.admin.clone().with_authorized_scopes(scopes);
    assert_eq!(narrow.current_scopes().await.unwrap().scopes, ["assume:anonymous", "auth:current-scopes", "notes:read:red"]);
    assert_eq!(caller.authorized_scopes(&["notes:write:blue"]).await.unwrap_err().code().status(), 403);

    let boss = ask(&falconer.client(&["*"]).await).await.unwrap();
    assert!(
        !boss.is_person("mozilla-user:ann@example.com").unwrap() && boss.has(&scope("assume:mozilla-user:ann@example.com")).await.unwrap()
    );

    let path = format!("/clients/{}/disable", falconer_client::encode_segment(reader.client_id()).unwrap());
    falconer.administer(Method::POST, &path, None).await;
    let gone = caller.has(&scope("notes:read:red")).await.unwrap_err();
    assert_eq!((gone.code().status(), gone.reason()), (401, Some("client-disabled")));
    assert!(gone.id().is_some());
}
