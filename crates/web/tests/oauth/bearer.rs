//! Access tokens at `check`: what the grant may do now, for services that take them.

use std::sync::atomic::Ordering;

use crate::site::applications::{authorization_fields, exchange};
use crate::site::{START_MS, Site, site};
use axum::body::Body;
use falconer_credentials::{AccessToken, BearerClaims, BearerKey, BearerKind, BoundServices};
use http::{Request, StatusCode};
use serde_json::{Value, json};

fn question(authorization: &str, required: &str) -> Value {
    let request = json!({"method": "get", "resource": "/books/red", "host": "notes.example", "port": 443, "authorization": authorization});
    json!({"request": request, "required": required, "bearer": true})
}

async fn ask(site: &Site, question: &Value) -> Value {
    let request = Request::post("/api/falconer/v1/check").header("content-type", "application/json");
    let answer = site.send(request.body(Body::from(question.to_string())).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

async fn check(site: &Site, token: &str, required: &str) -> Value {
    ask(site, &question(&format!("Bearer {token}"), required)).await
}

pub async fn token(site: &Site) -> String {
    let code = site.ann().await.code(&authorization_fields()).await;
    site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned()
}

/// With a right checksum, by somebody who has no key of Falconer's.
fn forged(key: u32) -> String {
    let claims = BearerClaims {
        kind: BearerKind::Access,
        key,
        subject: [7; 16],
        expires_ms: START_MS + 1000,
        serial: [0; 8],
        services: BoundServices::default(),
        proof_key: None,
    };
    BearerKey::new(&AccessToken::new("guess".to_owned())).issue(&claims).unwrap().to_string()
}

fn word(answer: &Value) -> (&str, &str) {
    (answer["status"].as_str().unwrap(), answer["reason"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_token_may_do_what_its_grant_may_do_now() {
    let site = site().await;
    let token = token(&site).await;
    let allowed = check(&site, &token, "notes:read:red").await;
    assert_eq!(word(&allowed), ("allowed", ""), "{allowed}");
    assert!(allowed["clientId"].as_str().unwrap().starts_with("local/ann/app.example/"), "{allowed}");
    assert_eq!(allowed["expires"], "2026-08-01T12:10:02.000Z", "its own end, not that of the grant");
    let denied = check(&site, &token, "notes:write:red").await;
    assert_eq!((word(&denied), &denied["missing"]), (("denied", "scopes-missing"), &json!("notes:write:red")));
    assert_eq!(check(&site, &token, "auth:current-scopes").await["status"], "allowed");
    assert_eq!(check(&site, &token, "assume:grant:x").await["status"], "denied");

    // The person loses a scope, and then the grant.
    site.login.set_scopes("test", "ann", &["notes:write:*".to_owned()]).await.unwrap();
    assert_eq!(word(&check(&site, &token, "notes:read:red").await), ("denied", "scopes-missing"));
    assert_eq!(word(&check(&site, &token, "notes:write:mine").await), ("allowed", ""));
    let mut ann = site.ann().await;
    let me = ann.get("/").await;
    ann.post("/me/revoke", &me.form("/me/revoke")).await;
    let revoked = check(&site, &token, "notes:write:mine").await;
    assert_eq!(word(&revoked), ("failed", "grant-revoked"), "{revoked}");
}

#[tokio::test]
async fn a_token_ends_to_the_millisecond() {
    let site = site().await;
    let token = token(&site).await;
    site.clock.0.fetch_add(599_999, Ordering::SeqCst);
    assert_eq!(check(&site, &token, "notes:read:red").await["status"], "allowed");
    site.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(word(&check(&site, &token, "notes:read:red").await), ("failed", "token-expired"));
}

/// Nothing is told about tokens that Falconer has not made, whatever is claimed in them.
#[tokio::test]
async fn what_is_no_token_is_told_nothing() {
    let site = site().await;
    let token = token(&site).await;
    let mut mistyped = token.clone();
    let last = if mistyped.ends_with('A') { "B" } else { "A" };
    mistyped.replace_range(mistyped.len() - 1.., last);
    let code = site.ann().await.code(&authorization_fields()).await;
    let refresh = site.token(&exchange(&code)).await.json()["refresh_token"].as_str().unwrap().to_owned();
    for (what, token, reason) in [
        ("one character", mistyped.as_str(), "token-malformed"),
        ("cut off", &token[..token.len() - 1], "token-malformed"),
        ("longer", &format!("{token}A"), "token-malformed"),
        ("without its beginning", token.strip_prefix("falconer_at_").unwrap(), "token-malformed"),
        ("somebody else's", "ghp_0123456789", "token-malformed"),
        ("nothing", "", "token-malformed"),
        ("two", &format!("{token} {token}"), "token-malformed"),
        ("a refresh token", &refresh, "token-malformed"),
        ("a code", &code, "token-malformed"),
        ("made with another key", &forged(1), "token-unknown"),
        ("made with a key that there is not", &forged(99), "token-unknown"),
    ] {
        let answer = check(&site, token, "notes:read:red").await;
        assert_eq!(word(&answer), ("failed", reason), "{what}");
        assert!(answer.get("clientId").is_none() && !answer.to_string().contains("ann"), "{answer}");
    }
}

/// A service that was there before does not take what anybody who saw it can use elsewhere.
#[tokio::test]
async fn a_service_that_does_not_say_so_takes_none() {
    let site = site().await;
    let token = token(&site).await;
    for bearer in [json!(false), Value::Null] {
        let mut question = question(&format!("Bearer {token}"), "notes:read:red");
        if bearer.is_null() {
            question.as_object_mut().unwrap().remove("bearer");
        } else {
            question["bearer"] = bearer;
        }
        assert_eq!(word(&ask(&site, &question).await), ("failed", "malformed"));
    }
    let request = question(&format!("Bearer {token}"), "x")["request"].clone();
    let post = Request::post("/api/auth/v1/authenticate-hawk").header("content-type", "application/json");
    let answer = site.send(post.body(Body::from(request.to_string())).unwrap()).await;
    assert_eq!(answer.json()["status"], "auth-failed", "authenticateHawk is for signatures");
    let own =
        Request::get("/api/auth/v1/scopes/current").header("host", "auth.example.com").header("authorization", format!("Bearer {token}"));
    assert_eq!(site.send(own.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED, "and so is Falconer's own API");
}

#[tokio::test]
async fn a_token_signs_nothing() {
    let site = site().await;
    let token = token(&site).await;
    let mut with_body = question(&format!("bearer {token}"), "notes:read:red");
    assert_eq!(ask(&site, &with_body).await["status"], "allowed", "the scheme is in any case");
    with_body["payloadHash"] = format!("{}=", "a".repeat(43)).into();
    assert_eq!(word(&ask(&site, &with_body).await), ("failed", "payload-not-signed"));
    let mut beside = question(&format!("Bearer {token}"), "notes:read:red");
    beside["request"]["resource"] = "/books/red?bewit=abc".into();
    assert_eq!(word(&ask(&site, &beside).await), ("failed", "two-schemes"));
    // Nobody is taken for the person by a token that was sent to somebody else.
    let mut who = question(&format!("Bearer {token}"), "notes:read:red");
    who["identity"] = true.into();
    assert!(ask(&site, &who).await.get("identity").is_none());
}
