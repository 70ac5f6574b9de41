//! `vectors/http-auth-api.json` as one session, for whoever can send a request: this crate in process, the binary's crate over a socket.
//!
//! Where Falconer deliberately answers otherwise, `http_differences.json` says so: a rule (a predicate over the case alone, with Falconer's answer
//! and the number of cases), or single cases by name. A rule that covers more or fewer cases than it says fails the run, as does one that covers a
//! case which is equal, and a case that differs without one. `FALCONER_VECTORS=<directory>` takes another file of the same shape and prints the
//! counts only.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod compare;
mod rules;
mod signing;

use std::collections::BTreeMap;

use serde_json::Value;

use compare::{compare, differs_as_said};
use rules::{Difference, differences};

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/http-auth-api.json"));
const CASES: usize = 291;

/// The server of the session, its clients, and the origins and the proxy that the cases use.
pub const HOST: &str = "localhost";
pub const PORT: u16 = 60700;
pub const ROOT: &str = "static/taskcluster/root";
pub const ROOT_TOKEN: &str = "root-test-access-token-00000000000000000000-";
pub const NOTIFY: &str = "static/taskcluster/notify";
pub const NOTIFY_TOKEN: &str = "notify-test-access-token-000000000000000000";
pub const NOTIFY_SCOPE: &str = "queue:get-task:*";
pub const ORIGINS: [&str; 6] = [
    "http://tc.example.com",
    "https://tc.example.com",
    "http://tc.example.com:8443",
    "http://tc.example.com:8888",
    "http://tc.example.com:7777",
    "http://[::1]:60700",
];
pub const PROXY: &str = "127.0.0.1/32";
pub const WEBSOCKTUNNEL_SECRET: &str = "websocktunnel-secret-of-the-session";

/// What answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// The API without the pages around it.
    Api,
    /// All that a server has.
    Server,
}

/// One request, signed, as it is about to be sent. A content length is owed where there is a body.
pub struct Request {
    pub method: String,
    pub host: String,
    /// With the query, as it goes on the request line.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
    /// The body as JSON, or null.
    pub json: Value,
}

impl Answer {
    pub fn new(status: u16, headers: Vec<(String, String)>, bytes: Vec<u8>) -> Answer {
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, bytes, json }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    /// The message without its trailer.
    fn message(&self) -> &str {
        self.json["message"].as_str().unwrap_or("").split("\n\n---\n").next().unwrap()
    }
}

/// The cases, and what came of them so far.
pub struct Session {
    cases: Vec<Value>,
    /// Whether these are the committed cases.
    committed: bool,
    differences: Vec<Difference>,
    /// Access tokens that the answers told.
    tokens: BTreeMap<String, String>,
    equal: usize,
    by_rule: BTreeMap<String, usize>,
    failed: Vec<String>,
}

impl Session {
    pub fn with(whole: Whole) -> Session {
        let elsewhere = std::env::var_os("FALCONER_VECTORS")
            .map(|dir| std::fs::read_to_string(std::path::Path::new(&dir).join("http-auth-api.json")).unwrap());
        Session {
            cases: serde_json::from_str(elsewhere.as_deref().unwrap_or(VECTORS)).unwrap(),
            committed: elsewhere.is_none(),
            differences: differences().into_iter().filter(|difference| whole == Whole::Server || !difference.of_server).collect(),
            tokens: BTreeMap::new(),
            equal: 0,
            by_rule: BTreeMap::new(),
            failed: Vec::new(),
        }
    }

    /// The cases, in the order in which they have to be asked.
    pub fn cases(&self) -> Vec<Value> {
        self.cases.clone()
    }

    pub fn request(&self, case: &Value, now_ms: i64) -> Request {
        signing::request_of(case, &self.tokens, now_ms)
    }

    pub fn judge(&mut self, case: &Value, answer: &Answer) {
        let name = case["name"].as_str().unwrap();
        if let (Some(id), Some(token)) = (answer.json["clientId"].as_str(), answer.json["accessToken"].as_str()) {
            self.tokens.insert(id.to_owned(), token.to_owned());
        }
        let covering: Vec<&Difference> = self.differences.iter().filter(|difference| difference.covers(case)).collect();
        let outcome = match covering.as_slice() {
            [] => compare(case, answer),
            [difference] => differs_as_said(difference, case, answer),
            _ => Err("covered by two differences".to_owned()),
        };
        match (outcome, covering.first()) {
            (Err(why), _) => self.failed.push(format!("{name}: {why}")),
            (Ok(()), Some(difference)) => *self.by_rule.entry(difference.id.clone()).or_default() += 1,
            (Ok(()), None) => self.equal += 1,
        }
    }

    /// Prints the counts; on the committed cases everything has to be as the file of differences says.
    pub fn end(self, where_asked: &str) {
        let ruled: usize = self.by_rule.values().sum();
        println!(
            "http-auth-api, {where_asked}: {} cases, {} equal, {ruled} by rule {:?}, {} failed",
            self.cases.len(),
            self.equal,
            self.by_rule,
            self.failed.len()
        );
        if !self.committed {
            return;
        }
        assert!(self.failed.is_empty(), "{where_asked}: {} failed:\n{}", self.failed.len(), self.failed.join("\n"));
        assert_eq!(self.equal + ruled, CASES);
        for difference in &self.differences {
            assert_eq!(self.by_rule.get(&difference.id).copied().unwrap_or_default(), difference.covers, "{}", difference.id);
        }
    }
}

/// Each case that a difference names is there, and named once.
pub fn check_differences() {
    let cases: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let mut seen = Vec::new();
    for difference in differences() {
        for name in difference.cases {
            assert!(cases.iter().any(|c| c["name"] == name.as_str()), "{name}");
            assert!(!seen.contains(&name), "{name}");
            seen.push(name);
        }
    }
}
