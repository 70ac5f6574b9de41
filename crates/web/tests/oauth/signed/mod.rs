//! Signed access tokens (RFC 9068): what they say, what they may do at Falconer, and what nobody takes for one.

mod ended;
mod given;
pub mod misuse;
pub mod plan;
mod shown;
mod ways;

use crate::openid::verified;
use crate::site::applications::{Fields, OFFLINE, SECRET, authorization_fields, exchange, fields};
use crate::site::{Browser, Page, Site, with};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

/// A request with these resources.
fn for_resources(mut base: Fields, resources: &[&str]) -> Fields {
    base.extend(resources.iter().map(|resource| ("resource".to_owned(), (*resource).to_owned())));
    base
}

/// What the application `page` is given for the service that verifies by itself.
async fn signed_tokens(site: &Site, ann: &mut Browser<'_>) -> Value {
    let code = ann.code(&for_resources(authorization_fields(), &[OFFLINE])).await;
    given(site.token(&exchange(&code)).await)
}

async fn signed_token(site: &Site, ann: &mut Browser<'_>) -> String {
    text(&signed_tokens(site, ann).await, "access_token")
}

/// What the application `server` is given, which may introspect.
async fn token_of_server(site: &Site, ann: &mut Browser<'_>) -> String {
    let at = [("client_id", "server"), ("redirect_uri", "https://server.example/cb")];
    let code = ann.code(&for_resources(with(authorization_fields(), &at), &[OFFLINE])).await;
    let tokens = given(site.token(&with(with(exchange(&code), &at), &[("client_secret", SECRET)])).await);
    text(&tokens, "access_token")
}

async fn introspected(site: &Site, token: &str) -> Value {
    let form = fields(&[("token", token), ("client_id", "server"), ("client_secret", SECRET)]);
    given(site.application("/login/oauth/introspect", &form, None).await)
}

fn given(page: Page) -> Value {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.json()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name}: {value}")).to_owned()
}

/// Header and claims, as a service reads them that has nothing but the published keys.
async fn read(site: &Site, token: &str) -> (Value, Value) {
    verified(token, &site.plain("/login/oauth/jwks").await)
}

/// What a token has in common with the feed.
async fn name(site: &Site, token: &str) -> Value {
    let name = read(site, token).await.1["falconer_grant"].clone();
    assert_eq!(name.as_str().unwrap().len(), 22);
    name
}

/// What `check` says to a service of this host about a request that needs this scope.
async fn check_at(site: &Site, host: &str, authorization: &str, proof: Option<&str>, required: &str) -> Value {
    let mut request = json!({"method": "get", "resource": "/api/books", "host": host, "port": 443, "authorization": authorization});
    if let Some(proof) = proof {
        request["dpop"] = proof.into();
    }
    let question = json!({"request": request, "required": required, "bearer": true});
    let sent = Request::post("/api/falconer/v1/check").header("content-type", "application/json");
    given(site.send(sent.body(Body::from(question.to_string())).unwrap()).await)
}

/// Status and reason where the token is shown to the service that it is for.
async fn verdict(site: &Site, token: &str, required: &str) -> (String, String) {
    words(&check_at(site, "offline.example", &format!("Bearer {token}"), None, required).await)
}

fn words(answer: &Value) -> (String, String) {
    (text(answer, "status"), answer["reason"].as_str().unwrap_or_default().to_owned())
}

fn failed(reason: &str) -> (String, String) {
    ("failed".to_owned(), reason.to_owned())
}
