//! Applications that nobody has registered and that say who they are in a document: read over real connections from a server that does as it likes.

mod accepted;
pub mod refused;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::site::applications::{DECISION, Fields, VERIFIER, authorization_fields, authorize, exchange, fields, parameter};
use crate::site::{Browser, Page, Site, site, with};
use async_trait::async_trait;
use axum::body::Body;
use falconer_grants::{ApplicationsHttp, GrantSettings};
use falconer_login::http::{AllowedAddresses, HttpError, HttpLimits, ProviderAnswer, ProviderHttp, ProviderRequest, WebHttp};
use http::{Method, Request, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const ID: &str = "https://agent.example.com/client.json";
const BACK: &str = "https://agent.example.com/back";
/// An answer is no longer than this.
const BYTES: usize = 4_000;

/// What stands behind a path: what is sent, and whether the connection is kept open after it.
#[derive(Clone)]
pub struct Answer {
    bytes: String,
    hangs: bool,
}

/// agent.example.com, and what is below it, as a server of this machine. Other hosts are asked as they are.
struct Agent {
    web: WebHttp,
    port: u16,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl ProviderHttp for Agent {
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError> {
        if !request.url.host_str().is_some_and(|host| host == "agent.example.com" || host.ends_with(".agent.example.com")) {
            return self.web.send(request).await;
        }
        assert_eq!((request.url.scheme(), request.allowed_addresses), ("https", AllowedAddresses::Public));
        let url = format!("http://127.0.0.1:{}{}", self.port, request.url.path()).parse().unwrap();
        self.web.send(ProviderRequest { form: request.form, ..ProviderRequest::new(url, AllowedAddresses::Own) }).await
    }
}

impl Agent {
    async fn new(total: Duration) -> Agent {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answers, asked): (Arc<Mutex<HashMap<String, Answer>>>, Arc<AtomicUsize>) = Default::default();
        let (of_server, count) = (Arc::clone(&answers), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (answers, count) = (Arc::clone(&of_server), Arc::clone(&count));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = connection.read_u8().await else { return };
                        head.push(byte);
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    let path = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
                    let answer = answers.lock().unwrap().get(&path).cloned();
                    let answer = answer.unwrap_or_else(|| of("404 Not Found", "application/json", "", "{}"));
                    let _ = connection.write_all(answer.bytes.as_bytes()).await;
                    if answer.hangs {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Agent { web: WebHttp::new(&tls, HttpLimits { total, bytes: BYTES }).unwrap(), port, answers, asked }
    }
}

fn of(status: &str, content_type: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    Answer { bytes: format!("{head}{body}"), hangs: false }
}

fn document() -> Value {
    json!({
        "client_id": ID,
        "client_name": "The <helpful> agent",
        "redirect_uris": [BACK, "http://127.0.0.1/back", "https://elsewhere.example.com/back", "agent://back"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

/// A site that reads documents of everybody, and the server of one.
struct World {
    site: Site,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<AtomicUsize>,
}

impl World {
    async fn new() -> World {
        World::of(&["*"], Duration::from_secs(60)).await
    }

    async fn of(hosts: &[&str], total: Duration) -> World {
        let site = site().await;
        let agent = Agent::new(total).await;
        let (answers, asked) = (Arc::clone(&agent.answers), Arc::clone(&agent.asked));
        let world = World { site, answers, asked };
        world.configure(hosts, Some(ApplicationsHttp(Arc::new(agent))));
        world.put("/client.json", of("200 OK", "application/json", "", &document().to_string()));
        world
    }

    fn configure(&self, hosts: &[&str], applications_http: Option<ApplicationsHttp>) {
        let client_documents = hosts.iter().map(|host| (*host).to_owned()).collect();
        self.site.web.grants.reconfigure(GrantSettings { client_documents, applications_http, ..GrantSettings::default() }).unwrap();
    }

    fn put(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn asks(changes: &[(&str, &str)]) -> Fields {
    with(with(authorization_fields(), &[("client_id", ID), ("redirect_uri", BACK)]), changes)
}

fn fetches(code: &str, changes: &[(&str, &str)]) -> Fields {
    with(with(exchange(code), &[("client_id", ID), ("redirect_uri", BACK)]), changes)
}

impl Browser<'_> {
    /// Goes to the page, types the host, and presses Grant.
    async fn lets(&mut self, authorization_fields: &Fields) -> String {
        let page = self.get(&authorize(authorization_fields)).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let form = with(page.form(DECISION), &[("visible_ms", "2000"), ("typed_host", "agent.example.com")]);
        self.post(DECISION, &form).await.location().to_owned()
    }
}

async fn refused(ann: &mut Browser<'_>, authorization_fields: &Fields, name: &str) -> Page {
    let page = ann.get(&authorize(authorization_fields)).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""), "{name}: {}", page.text);
    assert!(!page.text.contains(DECISION), "{name}");
    page
}
