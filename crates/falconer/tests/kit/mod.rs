//! The service of `vectors/ours/scenarios.json` behind the Rust kit, its callers, and what stands in Falconer's place.

pub mod raw;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::{get, put};
use axum::{Json, Router};
use falconer_client::{AccessToken, Credentials, payload_hash, system};
use falconer_credentials::sign;
use falconer_middleware::{Caller, Cors, Guard, Retry};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::ports::HeldPort;

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub input: Input,
    pub expected: Expected,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    pub caller: Option<CallerInput>,
    pub request: RequestInput,
    #[serde(default)]
    pub signature: SignatureInput,
    #[serde(default)]
    pub service: ServiceInput,
    pub falconer: Option<String>,
    pub host: Option<String>,
    pub times: Option<u32>,
}

#[derive(Deserialize)]
pub struct CallerInput {
    pub scopes: Vec<String>,
    pub state: Option<String>,
    pub temporary: Option<Times>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    pub start_seconds: Option<i64>,
    pub expiry_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestInput {
    method: String,
    path: String,
    content_type: Option<String>,
    body: Option<String>,
    body_length: Option<usize>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SignatureInput {
    kind: Option<String>,
    method: Option<String>,
    path: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    age_seconds: i64,
    expires_in_seconds: Option<i64>,
    body: Option<String>,
    content_type: Option<String>,
    payload_hash: Option<bool>,
    hash: Option<String>,
    authorized_scopes: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceInput {
    payload_hash_required: bool,
    bearer_tokens: bool,
    protected_resource: Option<ResourceInput>,
    body_limit_bytes: Option<usize>,
    cors: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct ResourceInput {
    path: String,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
pub struct Expected {
    status: u16,
    code: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
    json: Option<BTreeMap<String, Value>>,
}

/// What signs.
pub struct Key {
    pub client_id: String,
    token: AccessToken,
    certificate: Option<String>,
}

impl Key {
    pub fn of(credentials: &Credentials) -> Key {
        Key {
            client_id: credentials.client_id().to_owned(),
            token: credentials.access_token().clone(),
            certificate: credentials.certificate().map(str::to_owned),
        }
    }

    /// With a start and an end that credentials for use would not have.
    pub fn temporary(issuer: &Credentials, scopes: &[String], start_seconds: i64, expiry_seconds: i64) -> Key {
        let now_ms = system::now_ms();
        let (start_ms, expiry_ms) = (now_ms + start_seconds * 1000, now_ms + expiry_seconds * 1000);
        let seed = system::new_id() + &system::new_id();
        let issued =
            falconer_credentials::temporary::create(issuer.client_id(), issuer.access_token(), None, scopes, start_ms, expiry_ms, &seed)
                .unwrap();
        Key { client_id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) }
    }
}

/// What stands in place of Falconer, by the word of the cases.
pub struct Elsewhere {
    down: HeldPort,
    slow: (String, TcpListener),
    page: String,
}

impl Elsewhere {
    pub async fn start() -> Elsewhere {
        let bind = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let (slow, page) = (bind().await, bind().await);
        let (silent, other) = (at(&slow), at(&page));
        let app = Router::new().fallback(async || axum::response::Html("<h1>Welcome</h1>"));
        tokio::spawn(async move { axum::serve(page, app).await });
        Elsewhere { down: HeldPort::new(), slow: (silent, slow), page: other }
    }

    pub fn root(&self, word: Option<&str>, falconer: &str) -> String {
        match word {
            None => falconer.to_owned(),
            Some("down") => format!("http://{}", self.down.address()),
            Some("slow") => self.slow.0.clone(),
            Some("other") => self.page.clone(),
            Some(other) => panic!("{other}"),
        }
    }
}

/// How long Falconer is waited for: a second where it never answers, and no limit that a busy machine reaches where it does.
pub fn timeout(word: Option<&str>) -> Duration {
    if word == Some("slow") { Duration::from_secs(1) } else { crate::support::patience::patience() }
}

/// A running service. Its origin is where it listens.
pub struct Service {
    host: String,
    port: u16,
}

impl Service {
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub async fn start(falconer: &str, host: &str, settings: &ServiceInput, timeout: Duration) -> Service {
        let listener = TcpListener::bind(format!("{host}:0")).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let retry = Retry { tries: 1, timeout, ..Retry::default() };
        let mut guard = Guard::new(falconer, &format!("http://{host}:{port}")).unwrap().with_retry(retry);
        if settings.payload_hash_required {
            guard = guard.with_payload_hash_required();
        }
        if settings.bearer_tokens {
            guard = guard.with_bearer_tokens();
        }
        if let Some(resource) = &settings.protected_resource {
            guard = guard.with_protected_resource(&resource.path, resource.scopes.iter().map(String::as_str)).unwrap();
        }
        if let Some(bytes) = settings.body_limit_bytes {
            guard = guard.with_body_limit(bytes);
        }
        let cors = settings.cors.as_ref().map_or_else(Cors::any, |origins| Cors::only(origins.iter().map(String::as_str)).unwrap());
        let read = async |Path(book): Path<String>, _: Caller| Json(json!({"book": book}));
        let write =
            async |Path(book): Path<String>, _: Caller, body: Bytes| Json(json!({"book": book, "body": String::from_utf8_lossy(&body)}));
        let app = Router::new()
            .merge(guard.route("/books/{book}", "notes:read:<book>", get(read)).unwrap())
            .merge(guard.route("/books/{book}", "notes:write:<book>", put(write)).unwrap())
            .merge(guard.metadata())
            .layer(cors);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Service { host: host.to_owned(), port }
    }
}

/// What is sent of a case: the path, perhaps with a signature, the headers and the body.
pub struct Sent {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    body: String,
}

/// The request of a case as it goes over the wire.
pub fn wire(case: &Case, service: &Service, key: Option<&Key>) -> Vec<u8> {
    let Sent { path, headers, body } = sent(&case.input, service, key);
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{} {path} HTTP/1.1\r\n{}\r\n{body}", case.input.request.method, lines.concat()).into_bytes()
}

/// The parts of a request, signed.
pub fn sent(input: &Input, service: &Service, key: Option<&Key>) -> Sent {
    let (request, signature) = (&input.request, &input.signature);
    let body = match request.body_length {
        Some(length) => ".".repeat(length),
        None => request.body.clone().unwrap_or_default(),
    };
    let mut path = request.path.clone();
    let mut headers = request.headers.clone();
    headers.entry("Host".to_owned()).or_insert_with(|| service.authority());
    headers.insert("Connection".to_owned(), "close".to_owned());
    if let Some(content_type) = &request.content_type {
        headers.insert("Content-Type".to_owned(), content_type.clone());
    }
    if !body.is_empty() || request.method == "PUT" {
        headers.insert("Content-Length".to_owned(), body.len().to_string());
    }
    if let Some(key) = key {
        let ext = sign::ext(key.certificate.as_deref(), signature.authorized_scopes.as_deref());
        let host = signature.host.as_deref().unwrap_or(&service.host);
        let port = signature.port.unwrap_or(service.port);
        let covers = signature.path.as_deref().unwrap_or(&request.path).to_owned();
        let (kind, now) = (signature.kind.as_deref().unwrap_or("header"), system::now_ms() / 1000);
        if kind != "header" {
            let ends = now + signature.expires_in_seconds.unwrap_or(900);
            let bewit = sign::bewit(&key.client_id, &key.token, &covers, host, port, ends, ext.as_deref());
            path = format!("{path}{}bewit={bewit}", if path.contains('?') { '&' } else { '?' });
        }
        if kind != "bewit" {
            let covered = signature.body.as_deref().unwrap_or(&body);
            let content_type = signature.content_type.as_deref().or(request.content_type.as_deref()).unwrap_or_default();
            let with = signature.payload_hash.unwrap_or(!covered.is_empty() || signature.body.is_some());
            let hash = signature.hash.clone().or_else(|| with.then(|| payload_hash(content_type, covered.as_bytes())));
            let parts = sign::Request {
                method: signature.method.as_deref().unwrap_or(&request.method),
                resource: &covers,
                host,
                port,
                ts_seconds: now - signature.age_seconds,
                nonce: "n0nce",
                hash: hash.as_deref(),
                ext: ext.as_deref(),
                app: None,
                dlg: None,
            };
            headers.insert("Authorization".to_owned(), sign::header(&key.client_id, &key.token, &parts));
        }
    }
    Sent { path, headers, body }
}

/// The whole answer.
pub async fn send(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.authority()).await.unwrap();
    // The service may answer before it has read a body that is too large.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(crate::support::patience::patience(), stream.read_to_end(&mut answer)).await.expect("an answer");
    String::from_utf8(answer).unwrap()
}

/// Errors: what is not as expected.
pub fn judge(answer: &str, expected: &Expected) -> Result<(), String> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no answer: {answer}"))?;
    let check = |fine: bool, what: &str| if fine { Ok(()) } else { Err(format!("{what}: {answer}")) };
    check(head.split(' ').nth(1) == Some(&expected.status.to_string()), &format!("not {}", expected.status))?;
    let header = |name: &str| {
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    for (name, value) in &expected.headers {
        check(header(name) == value.as_deref(), name)?;
    }
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(code) = &expected.code {
        check(parsed["code"] == **code, code)?;
        check(parsed["id"].as_str().is_some_and(|id| id.len() >= 16), "id")?;
        let info = &parsed["requestInfo"];
        let ends = info["time"].as_str().is_some_and(|time| parsed["message"].as_str().is_some_and(|message| message.ends_with(time)));
        check(ends && info["method"].as_str().is_some_and(|method| !method.contains('?')), "requestInfo")?;
        if let Some(reason) = &expected.reason {
            check(parsed["reason"] == **reason, reason)?;
        }
    }
    for (name, value) in expected.json.iter().flatten() {
        check(parsed[name] == *value, name)?;
    }
    Ok(())
}
