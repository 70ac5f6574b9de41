//! A server, a client of it, a service that it protects, and a signing proxy between the two.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop")]

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::response::sse::{Event, Sse};
use axum::routing::{get, put};
use axum::{Json, Router};
use falconer_client::Credentials;
use falconer_middleware::{Caller, Guard};
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::patience::Lines;
use crate::support::{Server, falconer, http, init};

/// A service behind the Rust kit. It wants the hashes of bodies to be signed, but where it says that it takes large ones.
pub struct Service {
    pub origin: String,
    /// Lets the second event of its stream go.
    pub go_on: Arc<Notify>,
}

impl Service {
    pub async fn start(falconer: &str) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let guard = Guard::new(falconer, &origin).unwrap().with_payload_hash_required();
        let large = Guard::new(falconer, &origin).unwrap().with_body_limit(64 * 1024 * 1024);
        let go_on = Arc::new(Notify::new());
        let wait = Arc::clone(&go_on);
        let events = move |_: Caller| {
            let stream = two_events(Arc::clone(&wait));
            async move { Sse::new(stream) }
        };
        let read = async |Path(book): Path<String>, caller: Caller, headers: HeaderMap| {
            let names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
            Json(json!({"book": book, "clientId": caller.client_id(), "headers": names}))
        };
        let write = async |Path(book): Path<String>, _: Caller, body: Bytes| Json(json!({"book": book, "length": body.len()}));
        // What a service says of its page itself, looser and stricter than the proxy.
        let page = async || {
            let own = [("content-security-policy", "default-src 'none'"), ("cross-origin-resource-policy", "cross-origin")];
            (own, axum::response::Html("<script>alert(1)</script>"))
        };
        let away = async || (http::StatusCode::FOUND, [("location", "http://elsewhere.example/")]);
        let app = Router::new()
            .merge(guard.route("/books/{book}", "notes:read:<book>", get(read)).unwrap())
            .merge(guard.route("/books/{book}", "notes:write:<book>", put(write).post(write)).unwrap())
            .merge(guard.route("/events/{book}", "notes:read:<book>", get(events)).unwrap())
            .merge(large.route("/large/{book}", "notes:write:<book>", put(write)).unwrap())
            .route("/page", get(page))
            .route("/away", get(away));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Service { origin, go_on }
    }

    /// How a path of this service is called through the proxy.
    pub fn below(&self, path: &str) -> String {
        format!("/{}{path}", self.origin.trim_start_matches("http://"))
    }
}

/// One event at once, and one when it is let go.
fn two_events(wait: Arc<Notify>) -> impl futures_util::Stream<Item = Result<Event, std::convert::Infallible>> {
    futures_util::stream::unfold((wait, 0), |(wait, said)| async move {
        if said == 1 {
            wait.notified().await;
        }
        let event = ["first", "second"].get(said).map(|data| Ok(Event::default().data(*data)))?;
        Some((event, (wait, said + 1)))
    })
}

pub struct World {
    pub server: Server,
    pub service: Service,
    /// A client with `notes:read:*`, `notes:write:red` and `auth:current-scopes`.
    pub credentials: Credentials,
    pub data: std::path::PathBuf,
    pub folder: tempfile::TempDir,
}

impl World {
    pub async fn start() -> World {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let root = init(&data);
        let server = Server::start(&data);
        let service = Service::start(&server.root_url).await;
        let body = json!({"expires": "2099-01-01T00:00:00.000Z", "description": "",
                          "scopes": ["notes:read:*", "notes:write:red", "auth:current-scopes"]});
        let url = format!("{}/api/auth/v1/clients/tests%2Fjob", server.root_url);
        let created = server.client(&root).fetch(&http::Method::PUT, &url, Some(body.to_string().as_bytes())).await.unwrap();
        let new_record: Value = serde_json::from_slice(&created).unwrap();
        let credentials = Credentials::new("tests/job", new_record["accessToken"].as_str().unwrap());
        World { server, service, credentials, data, folder }
    }

    pub fn falconer(&self) -> &str {
        &self.server.root_url
    }

    /// The command with the server and the credentials in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = falconer();
        command.arg("proxy").args(arguments).stdin(Stdio::null());
        command.env("TASKCLUSTER_ROOT_URL", &self.server.root_url);
        command.env("TASKCLUSTER_CLIENT_ID", self.credentials.client_id());
        command.env("TASKCLUSTER_ACCESS_TOKEN", self.credentials.access_token().expose());
        command
    }

    /// The proxy on a free port.
    pub fn proxy(&self, more: &[&str]) -> Proxy {
        Proxy::of(self.command(&[&["--listen", "127.0.0.1:0"], more].concat()))
    }

    /// A file that only its owner opens.
    pub fn secret_file(&self, name: &str, text: &str) -> String {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

/// A running proxy.
pub struct Proxy {
    pub child: Child,
    /// Where it listens, such as `http://127.0.0.1:41234`.
    pub url: String,
    /// What it logs.
    pub log: Lines,
    http: reqwest::Client,
}

impl Proxy {
    pub fn of(mut command: Command) -> Proxy {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Lines::of(child.stdout.take().unwrap(), "the proxy");
        let log = Lines::of(child.stderr.take().unwrap(), "the log of the proxy");
        let url = lines.with("listening on ").trim_start_matches("listening on ").to_owned();
        Proxy { child, url, log, http: http() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// The path goes as it is: no library makes another of it.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let address = self.url.trim_start_matches("http://");
        let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            text += &format!("host: {address}\r\n");
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("content-length: {}\r\n", body.len());
        }
        text += "\r\n";
        text += body;
        Answer::of(tokio::net::TcpStream::connect(address).await.unwrap(), &text).await
    }

    /// For what comes bit by bit.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// Sends a text as it is and reads to the end.
    pub async fn of(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin, text: &str) -> Answer {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        // It may be refused before it was read.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut bytes = Vec::new();
        let reading = stream.read_to_end(&mut bytes);
        let _ = tokio::time::timeout(crate::support::patience::patience(), reading).await.expect("an answer");
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_owned() };
        Answer { status, head: head.to_owned(), body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).first().copied()
    }

    /// All of one name, in their order.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The stable word of a refusal; empty where there is none.
    pub fn reason(&self) -> String {
        serde_json::from_str::<Value>(&self.body).ok().and_then(|body| body.get("reason")?.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

fn unchunked(body: &str) -> String {
    let (mut rest, mut whole) = (body, String::new());
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            break;
        }
        whole += &after[..length];
        rest = &after[length + 2..];
    }
    whole
}
