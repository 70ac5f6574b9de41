//! Requests that are signed before the load begins, and how a right answer looks.

use anyhow::{Result, bail};
use serde_json::json;

use crate::requests::api::{Api, Keys, bytes};
use crate::requests::connection::Answer;

/// What every published JavaScript client takes.
pub const ENCODINGS: &str = "gzip, deflate, br";
/// For whom the requests that are judged were signed.
pub const SERVICE: (&str, u16) = ("notes.example.com", 443);

/// Ready-made requests.
pub struct Pool {
    /// As they go over the wire.
    pub requests: Vec<Vec<u8>>,
    /// The status of a right answer.
    pub status: u16,
    /// What the body of a right answer contains.
    pub contains: &'static str,
    /// Send each request at most once: what the server remembers of one must not help another.
    pub once: bool,
}

impl Pool {
    /// Requests whose right answers have status 200 and contain this text.
    pub fn new(requests: Vec<Vec<u8>>, contains: &'static str) -> Pool {
        Pool { requests, status: 200, contains, once: false }
    }

    /// A wrong answer would make the figure worthless, so every one is looked at.
    pub fn check(&self, answer: &Answer<'_>) -> Result<()> {
        if answer.status == self.status && holds(answer.body(), self.contains) {
            return Ok(());
        }
        bail!("unexpected answer {}: {}", answer.status, String::from_utf8_lossy(answer.whole).chars().take(2_000).collect::<String>())
    }
}

/// Whether a body contains this text.
pub fn holds(body: &[u8], text: &str) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A request to authenticateHawk about a GET that `keys` signed, with the headers that the published JavaScript client sends.
pub fn authenticate_hawk(address: &str, keys: &Keys, authorized: Option<&[String]>, random: &mut fastrand::Rng) -> Result<Vec<u8>> {
    let book: String = (0..22).map(|_| random.alphanumeric()).collect();
    let resource = format!("/api/notes/v1/books/{book}");
    let header = keys.header("GET", &resource, SERVICE, authorized, random)?;
    let body = json!({
        "method": "get", "resource": resource, "host": SERVICE.0, "port": SERVICE.1, "authorization": header, "sourceIp": "127.0.0.1",
    });
    // Services ask without credentials of their own.
    Ok(bytes(address, ENCODINGS, "POST", "/api/auth/v1/authenticate-hawk", None, Some(&body)))
}

/// The same to check, with a scope that the operation needs.
pub fn check(address: &str, keys: &Keys, required: &str, random: &mut fastrand::Rng) -> Result<Vec<u8>> {
    let book: String = (0..22).map(|_| random.alphanumeric()).collect();
    let resource = format!("/api/notes/v1/books/{book}");
    let header = keys.header("GET", &resource, SERVICE, None, random)?;
    let request = json!({
        "method": "get", "resource": resource, "host": SERVICE.0, "port": SERVICE.1, "authorization": header, "sourceIp": "127.0.0.1",
    });
    let body = json!({ "request": request, "required": required });
    Ok(bytes(address, ENCODINGS, "POST", "/api/falconer/v1/check", None, Some(&body)))
}

/// The same of a request that shows an access token.
pub fn check_token(address: &str, token: &str, required: &str, random: &mut fastrand::Rng) -> Vec<u8> {
    let book: String = (0..22).map(|_| random.alphanumeric()).collect();
    let request = json!({
        "method": "get", "resource": format!("/api/notes/v1/books/{book}"), "host": SERVICE.0, "port": SERVICE.1,
        "authorization": format!("Bearer {token}"), "sourceIp": "127.0.0.1",
    });
    let body = json!({ "request": request, "required": required, "bearer": true });
    bytes(address, ENCODINGS, "POST", "/api/falconer/v1/check", None, Some(&body))
}

/// `count` such requests.
pub fn authenticate_hawks(api: &Api, keys: &Keys, authorized: Option<&[String]>, count: usize, contains: &'static str) -> Result<Pool> {
    let mut random = fastrand::Rng::new();
    let requests = (0..count).map(|_| authenticate_hawk(&api.address, keys, authorized, &mut random)).collect::<Result<_>>()?;
    Ok(Pool::new(requests, contains))
}

/// `count` signed `GET scopes/current`.
pub fn current_scopes(api: &Api, count: usize) -> Result<Pool> {
    let mut random = fastrand::Rng::new();
    let one = |random: &mut fastrand::Rng| api.request_with(ENCODINGS, "GET", "/api/auth/v1/scopes/current", None, random);
    // Large answers come compressed, so that only the status can be looked at.
    Ok(Pool::new((0..count).map(|_| one(&mut random)).collect::<Result<_>>()?, ""))
}

/// Signed calls of expandScopes, one for each list, of a client that takes these encodings.
pub fn expand_scopes(api: &Api, encoding: &str, lists: &[Vec<String>], once: bool) -> Result<Pool> {
    let mut random = fastrand::Rng::new();
    let mut one = |scopes: &Vec<String>| {
        api.request_with(encoding, "POST", "/api/auth/v1/scopes/expand", Some(&json!({ "scopes": scopes })), &mut random)
    };
    let requests = lists.iter().map(&mut one).collect::<Result<_>>()?;
    Ok(Pool { once, ..Pool::new(requests, "") })
}
