//! What must be refused, as a table (`refused.json`, beside this file): each row with the section of the RFC that it goes by. Nothing is registered, changed or deleted by any.
//!
//! `send` changes members of metadata that would be accepted (null: without it), `body` stands in their place. `{id}` is the `client_id` of what is there.

use super::*;
use serde::Deserialize;
use serde_json::Map;

const CASES: &str = include_str!("refused.json");
const LEAST: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    rfc: String,
    /// `register` or `change`.
    to: String,
    #[serde(default)]
    send: Map<String, Value>,
    body: Option<String>,
    content_type: Option<String>,
    /// In the place of the right one; empty: none.
    authorization: Option<String>,
    status: u16,
    error: String,
}

/// Those about where an application is told that somebody has signed out: the section, what is tried, and what comes of it.
pub fn backchannel() -> impl Iterator<Item = (String, String, String)> {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    let about = cases.into_iter().filter(|case| case.name.starts_with("back-channel"));
    about.map(|case| {
        (format!("Back-Channel {}", case.rfc.rsplit(' ').next().unwrap()), case.name, format!("{} `{}`", case.status, case.error))
    })
}

#[tokio::test]
async fn each_is_refused_by_its_own_error() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() >= LEAST, "{}", cases.len());
    let (site, token) = with_token(1000).await;
    let there = registered(&site.register(Some(&token), &metadata()).await);
    for (number, case) in cases.iter().enumerate() {
        let is_change = case.to == "change";
        let mut sent = metadata();
        let members = sent.as_object_mut().unwrap();
        if is_change {
            members.insert("client_id".to_owned(), json!(there.id));
        }
        for (name, value) in &case.send {
            members.insert(name.clone(), value.clone());
            if value.is_null() {
                members.remove(name);
            }
        }
        let long = format!("{{\"redirect_uris\": [\"{BACK}\"], \"x\": \"{}\"}}", "x".repeat(17_000));
        let body = match case.body.as_deref() {
            Some("{long}") => long,
            Some("{many}") => format!("{{\"redirect_uris\": [{}\"{BACK}\"]}}", format!("\"{BACK}\",").repeat(600)),
            Some(body) => body.to_owned(),
            None => sent.to_string(),
        };
        let (method, path, right) =
            if is_change { (Method::PUT, there.path.as_str(), &there.token) } else { (Method::POST, REGISTER, &token) };
        let authorization = case.authorization.clone().unwrap_or_else(|| format!("Bearer {right}"));
        let content_type = case.content_type.as_deref().unwrap_or("application/json");
        // Each from a network of its own: none of them is refused for being one of many.
        let peer: std::net::SocketAddr = format!("198.51.{number}.1:4000").parse().unwrap();
        let mut request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, content_type).extension(Peer(peer));
        if !authorization.is_empty() {
            request = request.header(AUTHORIZATION, authorization);
        }
        site.clock.0.fetch_add(3_600_000 / 50, Ordering::SeqCst);
        let answer = site.send(request.body(Body::from(body)).unwrap()).await;
        assert!(!case.rfc.is_empty(), "{}", case.name);
        assert_eq!(answer.oauth_error(), (case.status, case.error.clone()), "{} (RFC {}): {}", case.name, case.rfc, answer.text);
        if case.status == 401 {
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"falconer\", error=\"invalid_token\"", "{}", case.name);
        }
        assert_eq!(site.auth.directory().applications().iter().count(), 1, "{}", case.name);
    }
    let read = site.registration(Method::GET, &there.path, Some(&there.token), None).await;
    assert_eq!(read.json(), there.json);
    assert_eq!(site.store.initial_tokens().await.unwrap()[0].uses, 1, "what is refused uses nothing");
}
