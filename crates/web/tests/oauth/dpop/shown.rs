//! Tokens that are bound to a key, where they are shown: at services, and at Falconer's own endpoints.

use super::plan::row;
use super::{BOOK, Holder, TOKEN, ask, bound, code, question, token, word, word_of};
use crate::site::applications::exchange;
use crate::site::site;
use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_counts_with_its_proofs() {
    let site = site().await;
    let (holder, other) = (Holder::new(), Holder::new());
    let (token, _) = bound(&site, &holder).await;
    let shown = format!("DPoP {token}");
    let allowed = ask(&site, &question(&shown, Some(&holder.with_token(&site, "GET", BOOK, "1", &token)))).await;
    assert_eq!(word(&allowed), ("allowed", ""), "{}: {allowed}", row("a token with its proof at a service"));
    assert!(allowed["clientId"].as_str().unwrap().starts_with("local/ann/app.example/"), "{allowed}");

    let proof = || holder.with_token(&site, "GET", BOOK, "1", &token);
    let replayed = ("failed".to_owned(), "proof-replayed".to_owned());
    assert_eq!(word_of(&site, &token, &proof()).await, replayed, "{}", row("a proof at a service once more"));
    for (what, question, reason) in [
        (row("a bound token as `Bearer`"), question(&format!("Bearer {token}"), None), "token-bound"),
        (row("a bound token as `Bearer` with its proof"), question(&format!("Bearer {token}"), Some(&proof())), "token-bound"),
        (row("a token as `DPoP` without a proof"), question(&shown, None), "proof-missing"),
        (
            row("a token with a proof of another key"),
            question(&shown, Some(&other.with_token(&site, "GET", BOOK, "2", &token))),
            "proof-other-key",
        ),
    ] {
        let answer = ask(&site, &question).await;
        assert_eq!(word(&answer), ("failed", reason), "{what}: {answer}");
        // Whoever may ask learns why.
        assert!(answer["message"].as_str().unwrap().len() > 20 && answer["id"].is_string(), "{answer}");
    }
    let plain = crate::bearer::token(&site).await;
    let proof = holder.with_token(&site, "GET", BOOK, "3", &plain);
    assert_eq!(word_of(&site, &plain, &proof).await.1, "token-not-bound", "{}", row("a token that is bound to no key as `DPoP`"));

    // A service that says that it is reached by http.
    let mut by_http = question(&shown, Some(&holder.with_token(&site, "GET", "http://notes.example:443/books/red", "4", &token)));
    by_http["request"]["scheme"] = "http".into();
    assert_eq!(word(&ask(&site, &by_http).await).0, "allowed");
    by_http["request"]["dpop"] = holder.with_token(&site, "GET", BOOK, "5", &token).into();
    assert_eq!(word(&ask(&site, &by_http).await), ("failed", "proof-url"));
}

/// A service asks more about one request: its proof counts once, and what the first answer had goes in its place.
#[tokio::test]
async fn a_service_asks_once_more_about_the_same_request() {
    let site = site().await;
    let holder = Holder::new();
    let (token, _) = bound(&site, &holder).await;
    let mut next = question(&format!("DPoP {token}"), Some(&holder.with_token(&site, "GET", BOOK, "1", &token)));
    let follow_up = ask(&site, &next).await["followUp"].clone();
    next["request"].as_object_mut().unwrap().remove("dpop");
    next["request"]["followUp"] = follow_up.clone();
    for _ in 0..3 {
        assert_eq!(word(&ask(&site, &next).await).0, "allowed");
    }
    for (member, value) in [
        ("resource", json!("/books/blue")),
        ("method", json!("put")),
        ("host", json!("other.example")),
        ("port", json!(444)),
        ("followUp", json!("")),
        ("followUp", json!(format!("A{}", &follow_up.as_str().unwrap()[1..]))),
    ] {
        let mut other = next.clone();
        if other["request"][member] == value {
            continue;
        }
        other["request"][member] = value;
        assert_eq!(word(&ask(&site, &other).await), ("failed", "follow-up"), "{other}");
    }
    let (other, _) = bound(&site, &holder).await;
    next["request"]["authorization"] = format!("DPoP {other}").into();
    assert_eq!(word(&ask(&site, &next).await), ("failed", "follow-up"), "of another token");
    let plain = crate::bearer::token(&site).await;
    let answer = ask(&site, &question(&format!("Bearer {plain}"), None)).await;
    assert!(answer.get("followUp").is_none(), "only where a proof has counted: {answer}");
}

#[tokio::test]
async fn of_64_with_one_proof_one_succeeds() {
    let site = site().await;
    let holder = Holder::new();
    let (access, _) = bound(&site, &holder).await;
    let proof = holder.with_token(&site, "GET", BOOK, "once", &access);
    let what = row("64 times one proof at a service, at once");
    let answers = futures_util::future::join_all((0..64).map(|_| word_of(&site, &access, &proof))).await;
    assert_eq!(answers.iter().filter(|(status, _)| status == "allowed").count(), 1, "{what}");
    assert_eq!(answers.iter().filter(|(_, reason)| reason == "proof-replayed").count(), 63);

    // Where tokens are given, on all servers: with as many codes.
    let mut codes = Vec::new();
    for _ in 0..8 {
        codes.push(exchange(&code(&site, &[]).await));
    }
    let proof = holder.proof(&site, TOKEN, "once");
    let answers = futures_util::future::join_all((0..64).map(|at| token(&site, &codes[at % 8], &proof))).await;
    let what = row("64 times one proof at the token endpoint, at once");
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 1, "{what}");
}

/// What takes tokens here: userinfo and credentials, and what is said of a token.
#[tokio::test]
async fn falconers_own_endpoints_take_proofs() {
    let site = site().await;
    let holder = Holder::new();
    let (access, _) = bound(&site, &holder).await;
    let credentials = "https://auth.example.com/login/oauth/credentials";
    let get = async |authorization: String, proof: Option<String>| {
        let mut request = Request::get("/login/oauth/credentials").header(AUTHORIZATION, authorization);
        if let Some(proof) = proof {
            request = request.header("DPoP", proof);
        }
        site.send(request.body(Body::empty()).unwrap()).await
    };
    for (what, authorization, proof, error) in [
        (row("`credentials` with a bound token as `Bearer`"), format!("Bearer {access}"), None, "invalid_token"),
        (row("`credentials` with a bound token as `DPoP` without a proof"), format!("DPoP {access}"), None, "invalid_dpop_proof"),
        (
            row("`credentials` with a proof for another method"),
            format!("DPoP {access}"),
            Some(holder.with_token(&site, "POST", credentials, "1", &access)),
            "invalid_dpop_proof",
        ),
        (
            row("`credentials` with a proof without `ath`"),
            format!("DPoP {access}"),
            Some(holder.signed(&holder.header(), &super::claims(&site, "GET", credentials, "1"))),
            "invalid_dpop_proof",
        ),
    ] {
        let refused = get(authorization, proof).await;
        assert_eq!(refused.oauth_error(), (401, error.to_owned()), "{what}: {}", refused.text);
        let challenge = refused.header("www-authenticate");
        assert!(
            challenge.starts_with("DPoP ") && challenge.contains("algs=\"ES256 Ed25519 EdDSA ES384 PS256 RS256\""),
            "{what}: {challenge}"
        );
    }
    let proof = holder.with_token(&site, "GET", credentials, "2", &access);
    let answer = get(format!("DPoP {access}"), Some(proof.clone())).await;
    assert_eq!(answer.status, StatusCode::OK, "{}: {}", row("`credentials` with a proof"), answer.text);
    let answer = get(format!("DPoP {access}"), Some(proof)).await;
    let what = row("`credentials` with the same proof once more");
    assert_eq!(answer.oauth_error(), (401, "invalid_dpop_proof".to_owned()), "{what}");
    let metadata = site.send(Request::get("/.well-known/oauth-authorization-server").body(Body::empty()).unwrap()).await.json();
    let what = row("`dpop_signing_alg_values_supported`");
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256", "Ed25519", "EdDSA", "ES384", "PS256", "RS256"]), "{what}");
}

/// What is told of a person, by every way of RFC 6750: a bound token counts by none of them alone.
#[tokio::test]
async fn user_info_takes_proofs() {
    let site = site().await;
    let holder = Holder::new();
    let code = site.ann().await.code(&crate::openid::authentication_request()).await;
    let given = token(&site, &crate::openid::redeem(&code), &holder.proof(&site, TOKEN, "code")).await.json();
    let access = given["access_token"].as_str().unwrap();
    let address = "https://auth.example.com/login/oauth/userinfo";
    let what = row("`userinfo` with a proof");
    for method in ["GET", "POST"] {
        let proof = holder.with_token(&site, method, address, method, access);
        let request = Request::builder().method(method).uri("/login/oauth/userinfo").header(AUTHORIZATION, format!("DPoP {access}"));
        let answer = site.send(request.header("DPoP", proof).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.json()["sub"].is_string()), (StatusCode::OK, true), "{what}: {method}: {}", answer.text);
    }
    let what = row("`userinfo` with a bound token as `Bearer`, in the header and in a form");
    let in_form = Request::post("/login/oauth/userinfo").header("content-type", "application/x-www-form-urlencoded");
    let in_form = in_form.body(Body::from(format!("access_token={access}"))).unwrap();
    let in_header = Request::get("/login/oauth/userinfo").header(AUTHORIZATION, format!("Bearer {access}")).body(Body::empty()).unwrap();
    for request in [in_header, in_form] {
        assert_eq!(site.send(request).await.oauth_error(), (401, "invalid_token".to_owned()), "{what}");
    }
}
