//! What Falconer says of one that is shown to it.

use std::sync::atomic::Ordering;

use super::plan::row;
use super::{check_at, failed, for_resources, given, introspected, read, signed_token, text, token_of_server, verdict, words};
use crate::dpop::Holder;
use crate::site::applications::{OFFLINE, SECRET, authorization_fields, exchange, fields};
use crate::site::site;
use http::StatusCode;
use serde_json::json;

fn allowed() -> (String, String) {
    ("allowed".to_owned(), String::new())
}

/// A service that asks is told at once what the grant may do, whatever the token says.
#[tokio::test]
async fn at_check_it_is_what_its_grant_is() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = signed_token(&site, &mut ann).await;
    assert_eq!(verdict(&site, &token, "notes:read:red").await, allowed(), "{}", row("at `check`, for its service"));
    let answer = check_at(&site, "offline.example", &format!("Bearer {token}"), None, "notes:read:red").await;
    assert!(text(&answer, "clientId").starts_with("local/ann/app.example/") && answer.get("identity").is_none(), "{answer}");
    assert_eq!(verdict(&site, &token, "shelf:burn:x").await, ("denied".to_owned(), "scopes-missing".to_owned()));
    site.web.grants.rotate_signing_key(None).await.unwrap().unwrap();
    site.clock.0.fetch_add(100_000, Ordering::SeqCst);
    assert_eq!(verdict(&site, &token, "notes:read:red").await, allowed(), "{}", row("at `check`, after the key was replaced"));
    site.clock.0.fetch_add(200_000, Ordering::SeqCst);
    assert_eq!(verdict(&site, &token, "notes:read:red").await, failed("token-expired"));
}

#[tokio::test]
async fn introspection_and_revocation_know_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = token_of_server(&site, &mut ann).await;
    let (_, claims) = read(&site, &token).await;
    let expected = json!({
        "active": true, "iss": site.origin, "client_id": "server", "token_type": "Bearer", "exp": claims["exp"], "aud": [OFFLINE],
        "scope": "auth:current-scopes notes:read:* notes:write:mine",
    });
    assert_eq!(introspected(&site, &token).await, expected, "{}", row("introspection"));
    let of_page = signed_token(&site, &mut ann).await;
    assert_eq!(introspected(&site, &of_page).await, json!({"active": false}), "{}", row("introspection by another application"));

    let revoke = async |client: &[(&str, &str)]| {
        let form = fields(&[&[("token", token.as_str())], client].concat());
        site.application("/login/oauth/revoke", &form, None).await
    };
    let by_other = revoke(&[("client_id", "page")]).await.oauth_error();
    assert_eq!(by_other, (400, "invalid_grant".to_owned()), "{}", row("revocation by another application"));
    assert_eq!(verdict(&site, &token, "notes:read:red").await, allowed());
    assert_eq!(revoke(&[("client_id", "server"), ("client_secret", SECRET)]).await.status, StatusCode::OK);
    assert_eq!(verdict(&site, &token, "notes:read:red").await, failed("grant-revoked"), "{}", row("revocation by its application"));
    assert_eq!(introspected(&site, &token).await, json!({"active": false}));
}

#[tokio::test]
async fn one_that_is_bound_to_a_key_counts_with_its_proofs() {
    let site = site().await;
    let mut ann = site.ann().await;
    let holder = Holder::new();
    let code = ann.code(&for_resources(authorization_fields(), &[OFFLINE])).await;
    let answer = crate::dpop::token(&site, &exchange(&code), &holder.proof(&site, crate::dpop::TOKEN, "1")).await;
    let token = text(&given(answer), "access_token");
    let address = "https://offline.example/api/books";
    let ask = async |authorization: String, proof: Option<String>| {
        check_at(&site, "offline.example", &authorization, proof.as_deref(), "notes:read:red").await
    };
    let proof = |jti: &str| Some(holder.with_token(&site, "GET", address, jti, &token));
    let first = ask(format!("DPoP {token}"), proof("a")).await;
    assert_eq!(words(&first), allowed(), "{}", row("at `check`, bound to a key and with its proof"));
    assert!(first["followUp"].is_string(), "{first}");
    let other = Holder::new().with_token(&site, "GET", address, "b", &token);
    for (authorization, proof, reason) in [
        (format!("DPoP {token}"), proof("a"), "proof-replayed"),
        (format!("DPoP {token}"), None, "proof-missing"),
        (format!("DPoP {token}"), Some(other), "proof-other-key"),
        (format!("Bearer {token}"), proof("c"), "token-bound"),
    ] {
        assert_eq!(words(&ask(authorization, proof).await), failed(reason));
    }
}

/// What is signed for a service gives nothing at Falconer, and its parts are worth nothing alone.
#[tokio::test]
async fn it_is_exchanged_for_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = signed_token(&site, &mut ann).await;
    let what = row("at `credentials`, `userinfo` and in a token exchange");
    assert_eq!(site.credentials(&token).await.oauth_error(), (401, "invalid_token".to_owned()), "{what}");
    assert_eq!(site.user_info(&token).await.status, StatusCode::UNAUTHORIZED, "{what}");
    let part = fields(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("client_id", "page"),
    ]);
    assert_eq!(site.token(&part).await.oauth_error(), (400, "invalid_request".to_owned()), "{what}");
    let name = text(&read(&site, &token).await.1, "jti");
    assert_eq!(verdict(&site, &name, "notes:read:red").await, failed("token-malformed"), "{}", row("its `jti` alone, as a token"));
    assert_eq!(site.credentials(&name).await.oauth_error(), (401, "invalid_token".to_owned()));
    let opaque = name.replace("falconer_jt_", "falconer_at_");
    assert_eq!(verdict(&site, &opaque, "notes:read:red").await, failed("token-malformed"));
}
