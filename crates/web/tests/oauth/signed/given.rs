//! What is given, and what it says.

use std::sync::atomic::Ordering;

use super::plan::row;
use super::{for_resources, given, read, signed_token, signed_tokens, text};
use crate::dpop::Holder;
use crate::openid::{authentication_request, redeem};
use crate::site::applications::{Fields, OFFLINE, SECOND_OFFLINE, authorization_fields, exchange, fields};
use crate::site::{START_MS, site, with};
use http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_says_what_the_specification_wants() {
    let site = site().await;
    let mut ann = site.ann().await;
    let answer = signed_tokens(&site, &mut ann).await;
    let (header, claims) = read(&site, &text(&answer, "access_token")).await;
    assert_eq!(header["typ"], "at+jwt", "{}", row("`typ`"));
    assert_eq!(header["alg"], "ES256", "{}", row("`alg`"));
    assert!(header["kid"].is_string(), "{}", row("`kid`"));
    assert_eq!(claims["iss"], "https://auth.example.com", "{}", row("`iss`"));
    assert_eq!(claims["aud"], OFFLINE, "{}", row("`aud`"));
    assert_eq!(claims["client_id"], "page", "{}", row("`client_id`"));
    let now = site.clock.0.load(Ordering::SeqCst) / 1000;
    let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!((START_MS / 1000..=now).contains(&issued), "{} {claims}", row("`iat`"));
    assert_eq!((expires - issued, &answer["expires_in"]), (300, &json!(300)), "{}", row("`exp`"));
    assert_eq!(claims["scope"], "notes:read:*", "{}", row("`scope`"));
    assert_eq!((&claims["auth_time"], &claims["acr"]), (&Value::Null, &Value::Null), "{}", row("`auth_time` and `acr` without `openid`"));
    assert!(claims["cnf"].is_null());
    let (_, other) = read(&site, &signed_token(&site, &mut ann).await).await;
    assert_ne!(claims["jti"], other["jti"], "{}", row("`jti` of two tokens"));
    assert!(answer["refresh_token"].as_str().unwrap().starts_with("falconer_rt_"), "these go on as they are");

    let metadata = site.plain("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata["jwks_uri"], "https://auth.example.com/login/oauth/jwks", "{}", row("`jwks_uri` in the metadata"));
}

#[tokio::test]
async fn it_says_of_a_sign_in_what_an_id_token_says() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&for_resources(authentication_request(), &[OFFLINE])).await;
    let answer = given(site.token(&redeem(&code)).await);
    let (_, claims) = read(&site, &text(&answer, "access_token")).await;
    let (_, of_person) = read(&site, &text(&answer, "id_token")).await;
    let both = |claims: &Value| (claims["auth_time"].clone(), claims["acr"].clone());
    assert!(claims["auth_time"].is_i64() && claims["acr"].is_string(), "{claims}");
    assert_eq!(both(&claims), both(&of_person), "{}", row("`auth_time` and `acr` with `openid`"));
}

/// Story: `sub` was that of ID tokens, so an application that the person had not let know who they are read it in its access token.
#[tokio::test]
async fn nobody_learns_from_it_who_the_person_is() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut of = async |base: Fields, exchange: &dyn Fn(&str) -> Fields, resource: &str| {
        let code = ann.code(&for_resources(base, &[resource])).await;
        given(site.token(&exchange(&code)).await)
    };
    let subject = async |answer: &Value| text(&read(&site, &text(answer, "access_token")).await.1, "sub");
    let of_page = of(authorization_fields(), &exchange, OFFLINE).await;
    let told = of(authentication_request(), &redeem, OFFLINE).await;
    let elsewhere = of(authorization_fields(), &exchange, SECOND_OFFLINE).await;
    let known = text(&read(&site, &text(&told, "id_token")).await.1, "sub");
    let at_service = subject(&of_page).await;
    assert_eq!(at_service, subject(&told).await, "{}", row("`sub` for two applications"));
    assert_ne!(at_service, known, "{}", row("`sub`"));
    assert_ne!(at_service, subject(&elsewhere).await, "{}", row("`sub` at another service"));
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    let of_bob = signed_tokens(&site, &mut bob).await;
    assert_ne!(at_service, subject(&of_bob).await);
    for answer in [&of_page, &elsewhere] {
        let (header, claims) = read(&site, &text(answer, "access_token")).await;
        assert!(![header, claims].iter().any(|part| part.to_string().contains(&known)));
    }
}

#[tokio::test]
async fn it_never_lives_longer_than_its_grant() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&for_resources(with(authorization_fields(), &[("expires", "60 minutes")]), &[OFFLINE])).await;
    let first = given(site.token(&exchange(&code)).await);
    site.clock.0.fetch_add(58 * 60_000, Ordering::SeqCst);
    let again = fields(&[("grant_type", "refresh_token"), ("refresh_token", &text(&first, "refresh_token")), ("client_id", "page")]);
    let second = given(site.token(&again).await);
    let (_, claims) = read(&site, &text(&second, "access_token")).await;
    let left = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((100..=121).contains(&left), "{left}: {}", row("`exp` of a grant that ends sooner"));
    assert!(second["expires_in"].as_i64().unwrap() <= left, "{} {second}", row("a refresh token"));
}

#[tokio::test]
async fn its_scope_is_what_the_service_asks_for_and_the_person_has_now() {
    let site = site().await;
    let mut ann = site.ann().await;
    let asked = with(authorization_fields(), &[("scope", "notes:read:* notes:write:mine notes:a%20b")]);
    let code = ann.code(&for_resources(asked, &[OFFLINE])).await;
    let first = given(site.token(&exchange(&code)).await);
    let (_, claims) = read(&site, &text(&first, "access_token")).await;
    assert_eq!(claims["scope"], "notes:a%20b notes:read:*", "{}", row("`scope` with a scope that holds a blank"));
    // Story: beside it stood all that was granted, also what no service can read out of this token.
    assert_eq!(first["scope"], claims["scope"]);
    let again = fields(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", &text(&first, "refresh_token")),
        ("client_id", "page"),
        ("scope", &text(&first, "scope")),
    ]);
    let first = given(site.token(&again).await);
    site.login.set_scopes("test", "ann", &["notes:read:red".to_owned()]).await.unwrap();
    let again = fields(&[("grant_type", "refresh_token"), ("refresh_token", &text(&first, "refresh_token")), ("client_id", "page")]);
    let (_, claims) = read(&site, &text(&given(site.token(&again).await), "access_token")).await;
    assert_eq!(claims["scope"], "notes:read:red", "{}", row("`scope` after the person has lost a scope"));
}

#[tokio::test]
async fn others_are_opaque_and_there_is_one_audience() {
    let site = site().await;
    let mut ann = site.ann().await;
    let opaque = async |resources: &[&str], code: String| {
        let answer = given(site.token(&for_resources(exchange(&code), resources)).await);
        assert!(text(&answer, "access_token").starts_with("falconer_at_"), "{answer}");
    };
    let code = ann.code(&authorization_fields()).await;
    opaque(&[], code).await;
    row("no `resource`");
    row("a `resource` that is not registered as one");
    for resource in ["https://notes.example/api", "https://offline.example/", "https://offline.example/api/"] {
        let code = ann.code(&authorization_fields()).await;
        opaque(&[resource], code).await;
    }
    let both = [OFFLINE, "https://notes.example/api"];
    let code = ann.code(&for_resources(authorization_fields(), &both)).await;
    let refused = site.token(&exchange(&code)).await.oauth_error();
    assert_eq!(refused, (400, "invalid_target".to_owned()), "{}", row("two resources, of which one is registered"));
    let answer = given(site.token(&for_resources(exchange(&code), &[OFFLINE])).await);
    assert_eq!(read(&site, &text(&answer, "access_token")).await.1["aud"], OFFLINE, "one of both is named, with the same code");
}

#[tokio::test]
async fn what_has_no_room_in_a_token_is_refused_and_the_code_is_left() {
    let site = site().await;
    let names: Vec<String> = (0..40).map(|n| format!("notes:read:{}{n}", "x".repeat(60))).collect();
    let scopes: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut bob = site.somebody("bob", &scopes).await;
    let code = bob.code(&for_resources(authorization_fields(), &[OFFLINE])).await;
    let refused = site.token(&exchange(&code)).await;
    assert_eq!(refused.oauth_error(), (400, "invalid_scope".to_owned()), "{}", row("more scopes than a token has room for"));
    assert!(refused.text.contains("2048 bytes"), "{}", refused.text);
    site.login.set_scopes("test", "bob", &names[..20]).await.unwrap();
    let (_, claims) = read(&site, &text(&given(site.token(&exchange(&code)).await), "access_token")).await;
    assert_eq!(claims["scope"].as_str().unwrap().split(' ').count(), 20);
}

#[tokio::test]
async fn a_part_of_a_grant_is_signed_with_that_part() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authorization_fields()).await;
    let whole = text(&given(site.token(&exchange(&code)).await), "access_token");
    let part = fields(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &whole),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("client_id", "page"),
        ("scope", "notes:read:red notes:write:mine"),
        ("resource", OFFLINE),
    ]);
    let answer = given(site.token(&part).await);
    let (_, claims) = read(&site, &text(&answer, "access_token")).await;
    assert_eq!(
        (&claims["scope"], &claims["aud"]),
        (&json!("notes:read:red"), &json!(OFFLINE)),
        "{}",
        row("a part of a grant by token exchange")
    );
}

#[tokio::test]
async fn one_that_is_bound_to_a_key_says_so() {
    let site = site().await;
    let mut ann = site.ann().await;
    let holder = Holder::new();
    let code = ann.code(&for_resources(authorization_fields(), &[OFFLINE])).await;
    let answer = crate::dpop::token(&site, &exchange(&code), &holder.proof(&site, crate::dpop::TOKEN, "1")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let (_, claims) = read(&site, &text(&answer.json(), "access_token")).await;
    assert_eq!(claims["cnf"], json!({"jkt": holder.jkt()}), "{}", row("`cnf.jkt` of a token that is bound to a key"));
}
