//! Tokens that are bound to a key, where they are given, and what comes after them.

use super::plan::row;
use super::{BOOK, Holder, TOKEN, bound, code, post, token, word_of};
use crate::site::applications::{Fields, SECRET, authorization_fields, exchange, fields};
use crate::site::{Site, site, with};
use http::StatusCode;
use serde_json::json;
use std::sync::atomic::Ordering;

const PAR: &str = "https://auth.example.com/login/oauth/par";

fn no_proof() -> (u16, String) {
    (400, "invalid_dpop_proof".to_owned())
}

#[tokio::test]
async fn a_refresh_token_of_a_public_application_is_bound_too() {
    let site = site().await;
    let (holder, thief) = (Holder::new(), Holder::new());
    let (_, refresh) = bound(&site, &holder).await;
    let sent = crate::refresh::refresh(&refresh);
    assert_eq!(site.token(&sent).await.oauth_error(), no_proof(), "{}", row("a refresh token of a public application without a proof"));
    let stolen = token(&site, &sent, &thief.proof(&site, TOKEN, "t")).await;
    assert_eq!(stolen.oauth_error(), no_proof(), "{}", row("a refresh token of a public application with a proof of another key"));
    let answer = token(&site, &sent, &holder.proof(&site, TOKEN, "h")).await;
    let what = row("a refresh token of a public application with a proof of its key");
    assert_eq!((answer.status, &answer.json()["token_type"]), (StatusCode::OK, &json!("DPoP")), "{what}: left to its owner");
}

/// Without a proof, with one of its key, and with one of another, which shows that somebody else has the code.
async fn a_code_is_for_its_key(site: &Site, holder: &Holder, bound_code: impl AsyncFn() -> String, what: [&'static str; 3]) {
    let code = bound_code().await;
    assert_eq!(site.token(&exchange(&code)).await.oauth_error(), no_proof(), "{}", what[0]);
    let answer = token(site, &exchange(&code), &holder.proof(site, TOKEN, "a")).await;
    assert_eq!((answer.status, &answer.json()["token_type"]), (StatusCode::OK, &json!("DPoP")), "{}: {}", what[1], answer.text);
    let code = bound_code().await;
    let refused = token(site, &exchange(&code), &Holder::new().proof(site, TOKEN, "b")).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_grant".to_owned()), "{}", what[2]);
    let late = token(site, &exchange(&code), &holder.proof(site, TOKEN, "c")).await;
    assert_eq!(late.oauth_error(), (400, "invalid_grant".to_owned()), "{}", what[2]);
}

#[tokio::test]
async fn a_code_that_is_bound_to_a_key_is_for_that_key() {
    let site = site().await;
    let holder = Holder::new();
    let what = [
        row("a code with `dpop_jkt` without a proof"),
        row("a code with `dpop_jkt` and a proof of that key"),
        row("a code with `dpop_jkt` and a proof of another key"),
    ];
    a_code_is_for_its_key(&site, &holder, async || code(&site, &[("dpop_jkt", &holder.jkt())]).await, what).await;
}

#[tokio::test]
async fn a_request_that_was_pushed_with_a_proof_gives_a_code_for_its_key() {
    let site = site().await;
    let holder = Holder::new();
    let what = [
        row("a code of a request that was pushed with a proof, without one"),
        row("a code of a request that was pushed with a proof, and one of that key"),
        row("a code of a request that was pushed with a proof, and one of another key"),
    ];
    let pushed = std::sync::atomic::AtomicUsize::new(0);
    let bound_code = async || {
        let proof = holder.proof(&site, PAR, &format!("pushed {}", pushed.fetch_add(1, Ordering::SeqCst)));
        let answer = post(&site, "/login/oauth/par", &authorization_fields(), &[&proof]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
        site.ann().await.code(&fields(&[("client_id", "page"), ("request_uri", &uri)])).await
    };
    a_code_is_for_its_key(&site, &holder, bound_code, what).await;
}

#[tokio::test]
async fn the_key_of_a_code_is_a_thumbprint_and_that_of_the_proof() {
    let site = site().await;
    let (holder, other) = (Holder::new(), Holder::new());
    let asked = with(authorization_fields(), &[("dpop_jkt", &other.jkt())]);
    let refused = post(&site, "/login/oauth/par", &asked, &[&holder.proof(&site, PAR, "p")]).await;
    assert_eq!(refused.oauth_error(), no_proof(), "{}", row("`dpop_jkt` of another key than the proof beside it"));
    let asked = with(authorization_fields(), &[("dpop_jkt", "short")]);
    let refused = post(&site, "/login/oauth/par", &asked, &[]).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_request".to_owned()), "{}", row("`dpop_jkt` that is no thumbprint"));
}

#[tokio::test]
async fn what_is_derived_is_bound_to_the_same_key() {
    let site = site().await;
    let (holder, thief) = (Holder::new(), Holder::new());
    let (access, _) = bound(&site, &holder).await;
    let exchanged = fields(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &access),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", "notes:read:red"),
        ("client_id", "page"),
    ]);
    assert_eq!(site.token(&exchanged).await.oauth_error(), no_proof(), "{}", row("a token exchange of a bound token without a proof"));
    let stolen = token(&site, &exchanged, &thief.proof(&site, TOKEN, "t")).await;
    assert_eq!(stolen.oauth_error(), no_proof(), "{}", row("a token exchange of a bound token with a proof of another key"));
    let answer = token(&site, &exchanged, &holder.proof(&site, TOKEN, "h")).await;
    assert_eq!((answer.status, &answer.json()["token_type"]), (StatusCode::OK, &json!("DPoP")), "{}", answer.text);
    let what = row("a token exchange of a bound token with a proof of its key");
    let derived = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(word_of(&site, &derived, &holder.with_token(&site, "GET", BOOK, "d", &derived)).await.0, "allowed", "{what}");
    let of_thief = thief.with_token(&site, "GET", BOOK, "t", &derived);
    assert_eq!(word_of(&site, &derived, &of_thief).await.1, "proof-other-key", "{what}");
}

/// What introspection says of it, and an application with a secret, whose refresh tokens are bound to that.
#[tokio::test]
async fn an_application_with_a_secret_may_change_its_key() {
    let site = site().await;
    let (holder, next) = (Holder::new(), Holder::new());
    let at = "https://server.example/cb";
    let code = site.ann().await.code(&with(authorization_fields(), &[("client_id", "server"), ("redirect_uri", at)])).await;
    let mut redeem = with(exchange(&code), &[("client_id", "server"), ("redirect_uri", at)]);
    redeem.extend(fields(&[("client_secret", SECRET)]));
    let first = token(&site, &redeem, &holder.proof(&site, TOKEN, "1")).await.json();
    let refresh = first["refresh_token"].as_str().unwrap();
    let sent = fields(&[("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", "server"), ("client_secret", SECRET)]);
    let second = token(&site, &sent, &next.proof(&site, TOKEN, "2")).await.json();
    let what = [row("introspection of a bound token"), row("an application with a secret refreshes with another key")];
    for (answer, jkt, what) in [(first, holder.jkt(), what[0]), (second, next.jkt(), what[1])] {
        let access = answer["access_token"].as_str().unwrap();
        let asked = fields(&[("token", access), ("client_id", "server"), ("client_secret", SECRET)]);
        let said = site.application("/login/oauth/introspect", &asked, None).await.json();
        assert_eq!((&said["token_type"], &said["cnf"]), (&json!("DPoP"), &json!({ "jkt": jkt })), "{what}: {said}");
    }
}

#[tokio::test]
async fn an_application_may_get_no_token_without_a_proof() {
    let site = site().await;
    let holder = Holder::new();
    let asked = with(authorization_fields(), &[("client_id", "prover")]);
    let code = site.ann().await.code(&asked).await;
    let redeem = with(exchange(&code), &[("client_id", "prover")]);
    assert_eq!(site.token(&redeem).await.oauth_error(), no_proof(), "{}", row("`dpop_bound_access_tokens`: a code without a proof"));
    let answer = token(&site, &redeem, &holder.proof(&site, TOKEN, "1")).await;
    let what = row("`dpop_bound_access_tokens`: the same code with a proof");
    assert_eq!((answer.status, &answer.json()["token_type"]), (StatusCode::OK, &json!("DPoP")), "{what}");
    let refresh = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    let sent = with(crate::refresh::refresh(&refresh), &[("client_id", "prover")]);
    let what = row("`dpop_bound_access_tokens`: its refresh token without a proof");
    assert_eq!(site.token(&sent).await.oauth_error(), no_proof(), "{what}");
}

/// A used code that came once more without the proof of its key, or with a `resource` that is none, was refused for that, and ended nothing.
#[tokio::test]
async fn a_used_code_ends_its_grant_whatever_comes_with_it() {
    let site = site().await;
    let holder = Holder::new();
    let bound = code(&site, &[("dpop_jkt", &holder.jkt())]).await;
    let plain = code(&site, &[]).await;
    for (what, code, once_more) in
        [("no proof", &bound, exchange(&bound)), ("a resource that is none", &plain, with_resource(exchange(&plain)))]
    {
        let first = token(&site, &exchange(code), &holder.proof(&site, TOKEN, &format!("first, then {what}"))).await;
        assert_eq!(first.status, StatusCode::OK, "{what}: {}", first.text);
        assert_eq!(site.token(&once_more).await.oauth_error(), (400, "invalid_grant".to_owned()), "{what}");
        let refresh = crate::refresh::refresh(first.json()["refresh_token"].as_str().unwrap());
        let late = token(&site, &refresh, &holder.proof(&site, TOKEN, &format!("after {what}"))).await;
        assert_eq!(late.oauth_error(), (400, "invalid_grant".to_owned()), "{what}: its grant goes on");
    }
}

fn with_resource(mut fields: Fields) -> Fields {
    fields.push(("resource".to_owned(), "no address".to_owned()));
    fields
}
