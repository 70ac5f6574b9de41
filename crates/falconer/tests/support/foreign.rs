//! A deployment for tests that gives its records in pages by offset, as the original does, and that others change at a moment the test chooses:
//! just before a request of a given number is answered.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What it holds.
#[derive(Clone, Default)]
pub struct Records {
    pub clients: Vec<String>,
    pub roles: Vec<String>,
    /// Told where it is asked for; `None`: there is no such method.
    pub revision: Option<i64>,
}

/// A running one. It goes on until the test ends.
pub struct Deployment {
    pub root_url: String,
    pub records: Arc<Mutex<Records>>,
}

impl Deployment {
    /// `before_page` changes the records before the n-th page of clients (from 1) is answered.
    pub fn start(records: Records, mut before_page: impl FnMut(u32, &mut Records) + Send + 'static) -> Deployment {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root_url = format!("http://{}", listener.local_addr().unwrap());
        let records = Arc::new(Mutex::new(records));
        let shared = Arc::clone(&records);
        std::thread::spawn(move || {
            let mut pages = 0;
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines =
                    BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                let target = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)).unwrap_or_default();
                lines.for_each(drop);
                let mut records = shared.lock().unwrap();
                if target.starts_with("/api/auth/v1/clients/") {
                    pages += 1;
                    before_page(pages, &mut records);
                }
                let (status, body) = answer(&target, &records);
                let body = body.to_string();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Deployment { root_url, records }
    }
}

fn answer(target: &str, records: &Records) -> (u16, Value) {
    let url = url::Url::parse("http://127.0.0.1").unwrap().join(target).unwrap();
    let offset = url.query_pairs().find(|(name, _)| name == "continuationToken").map_or(0, |(_, value)| value.parse().unwrap());
    let page = |ids: &[String]| ids.iter().skip(offset).take(2).cloned().collect::<Vec<_>>();
    let more = |ids: &[String], body: &mut Value| {
        if offset + 2 < ids.len() {
            body["continuationToken"] = json!((offset + 2).to_string());
        }
    };
    match (url.path(), records.revision) {
        ("/api/auth/v1/roles2/", _) => {
            let role = |id: &String| {
                json!({ "roleId": id, "scopes": [], "description": "", "expandedScopes": [],
                        "created": "2026-01-01T00:00:00.000Z", "lastModified": "2026-01-01T00:00:00.000Z" })
            };
            let mut body = json!({ "roles": page(&records.roles).iter().map(role).collect::<Vec<_>>() });
            more(&records.roles, &mut body);
            (200, body)
        }
        ("/api/auth/v1/clients/", _) => {
            let client = |id: &String| {
                json!({ "clientId": id, "scopes": [], "expandedScopes": [], "description": "", "disabled": false, "deleteOnExpiration": false,
                        "expires": "2100-01-01T00:00:00.000Z", "created": "2026-01-01T00:00:00.000Z", "lastModified": "2026-01-01T00:00:00.000Z",
                        "lastDateUsed": "2026-01-01T00:00:00.000Z", "lastRotated": "2026-01-01T00:00:00.000Z" })
            };
            let mut body = json!({ "clients": page(&records.clients).iter().map(client).collect::<Vec<_>>() });
            more(&records.clients, &mut body);
            (200, body)
        }
        ("/api/falconer/v1/revision", Some(revision)) => (200, json!({ "revision": revision })),
        _ => (404, json!({ "error": "Not found" })),
    }
}

/// A web site that knows nothing of the protocol: whatever it is asked, it answers with this status, these lines of the head and a page.
pub struct Page;

impl Page {
    /// Its root URL. It goes on until the test ends.
    pub fn start(status: &'static str, head: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root_url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                lines.for_each(drop);
                let page = "<!doctype html><title>Something else</title>";
                let length = page.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\n{head}content-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{page}"
                );
            }
        });
        root_url
    }
}
