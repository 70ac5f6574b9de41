//! What an ID token says, by what was asked for and granted.

use super::{authentication_request, changed, redeem, verified};
use crate::site::applications::{CALLBACK, DECISION, Fields, SECRET, authorization_fields, authorize, exchange, fields, parameter};
use crate::site::{START_MS, site, with};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use falconer_grants::SigningAlgorithm;
use http::StatusCode;
use serde_json::{Value, json};

/// Claims of the ID token of a full request; `null`: it is not there.
pub fn claims() -> Vec<(&'static str, &'static str, Value)> {
    // Each form takes a second: first the sign-in, then Grant.
    let (proved, now) = (START_MS / 1000 + 1, START_MS / 1000 + 2);
    vec![
        ("Core 2", "iss", json!("https://auth.example.com")),
        ("Core 2", "aud", json!("who")),
        ("Core 2", "exp", json!(now + 600)),
        ("Core 2", "iat", json!(now)),
        ("Core 2, 3.1.2.1", "nonce", json!("n&0")),
        ("Core 2, 3.1.2.1", "auth_time", json!(proved)),
        ("Core 2", "acr", json!("1")),
        ("Core 2, RFC 8176", "amr", json!(["pwd"])),
        ("Core 2", "azp", Value::Null),
        ("Core 3.3.2.11", "c_hash", Value::Null),
        ("Core 5.1, 5.4", "name", json!("Ann Example")),
        ("Core 5.1, 5.4", "preferred_username", json!("local/ann")),
        ("Core 5.1, 5.4", "email", json!("ann@example.com")),
        ("Core 5.1, 5.4", "email_verified", json!(false)),
        ("Core 5.1.2", "groups", json!(["releng"])),
        ("Core 5.1.2", "scope", Value::Null),
        ("Core 5.1.2", "clientId", Value::Null),
    ]
}

#[tokio::test]
async fn one_of_the_database_has_them_by_the_algorithm_that_is_said_of_it() {
    let site = site().await;
    site.somebody("admin", &["auth:*", "openid"]).await;
    let (admin, mut ann) = (falconer_auth::Authentication::person("local/admin"), site.ann().await);
    for id_token_alg in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
        let input = falconer_auth::ApplicationInput {
            name: "Stored".to_owned(),
            redirect_uris: vec![CALLBACK.to_owned()],
            scopes: vec!["openid".to_owned()],
            max_life_ms: falconer_auth::DAY_MS,
            id_token_alg,
            ..falconer_auth::ApplicationInput::default()
        };
        site.web.grants.put_application(&admin, "stored", &input, None).await.unwrap();
        let code = ann.code(&with(authorization_fields(), &[("client_id", "stored"), ("scope", "openid")])).await;
        let tokens = site.token(&with(exchange(&code), &[("client_id", "stored")])).await.json();
        let head = tokens["id_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).split('.').next().unwrap().to_owned();
        let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
        assert_eq!(head["alg"], id_token_alg.as_str());
    }
}

#[tokio::test]
async fn an_id_token_says_what_the_table_has() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&authentication_request())).await;
    // Story: the page said "that you belong to 1 group", and the application was told which one.
    assert!(page.text.contains("Who you are: Ann Example") && page.text.contains("and the name of your group"), "{}", page.text);
    assert!(page.text.contains("Show the names of the groups") && page.text.contains("<code>releng</code>"), "{}", page.text);
    let (answer, told) = site.signs_in(&mut ann, &authentication_request()).await;
    assert!(ann.get("/me/grants").await.text.contains("and knows who you are, and the names of your groups"));
    for (section, claim, value) in claims() {
        assert_eq!(told[claim], value, "{section}: {claim}");
    }
    let sub = told["sub"].as_str().unwrap();
    assert!(!sub.is_empty() && sub.len() <= 255 && !sub.contains('/'), "Core 2: sub is no clientId: {sub}");
    let token = answer["access_token"].as_str().unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    assert_eq!(told["at_hash"], URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]), "Core 3.1.3.6");
    assert_eq!(answer["scope"], "openid profile email groups notes:read:*", "Core 3.1.3.3");
    assert_eq!(answer["token_type"], "Bearer", "Core 3.1.3.3");

    // Core 5.3.2: the same of the person, and the same sub.
    let info = site.user_info(token).await;
    assert_eq!((info.status, info.header("content-type")), (StatusCode::OK, "application/json"), "{}", info.text);
    let info = info.json();
    for claim in ["sub", "name", "preferred_username", "email", "email_verified", "groups"] {
        assert_eq!(info[claim], told[claim], "Core 5.3.2: {claim}");
    }
    assert!(info["nonce"].is_null() && info["iss"].is_null(), "{info}");

    // Another sign-in, another application: the same sub, because subjects are public.
    let mut second_session = site.ann().await;
    let (_, later) = site.signs_in(&mut second_session, &with(authentication_request(), &[("nonce", "other")])).await;
    assert_eq!((later["sub"].as_str(), later["nonce"].as_str()), (Some(sub), Some("other")), "Core 2, 8");
}

/// What is told by what was granted: the scopes asked for, the claims that are there, and those that are not.
pub const SCOPES: [(&str, &str, &[&str], &[&str]); 6] = [
    ("Core 5.4", "openid", &["sub"], &["name", "preferred_username", "email", "email_verified", "groups"]),
    ("Core 5.4", "openid profile", &["name", "preferred_username"], &["email", "groups"]),
    ("Core 5.4", "openid email", &["email", "email_verified"], &["name", "groups"]),
    ("Core 5.1.2", "openid groups", &["groups"], &["name", "email"]),
    ("Core 5.4", "email openid notes:read:*", &["email"], &["name", "groups"]),
    ("Core 3.1.2.1", "notes:read:*  openid", &["sub"], &["name", "email", "groups"]),
];

#[tokio::test]
async fn claims_are_told_only_where_they_were_granted() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (section, scope, there, absent) in SCOPES {
        let (answer, told) = site.signs_in(&mut ann, &with(authentication_request(), &[("scope", scope)])).await;
        let info = site.user_info(answer["access_token"].as_str().unwrap()).await.json();
        for (claim, is_there) in there.iter().map(|claim| (claim, true)).chain(absent.iter().map(|claim| (claim, false))) {
            assert_eq!((!told[claim].is_null(), !info[claim].is_null()), (is_there, is_there), "{section}: {scope}: {claim}");
        }
    }
    // openid alone gives no scope of Falconer's, however many the person has.
    let (answer, _) = site.signs_in(&mut ann, &with(authentication_request(), &[("scope", "openid")])).await;
    assert_eq!(answer["scope"], "openid");
    // Who is not let know who it is gets a token that says nothing of it.
    let page = ann.get(&authorize(&authentication_request())).await;
    let without: Fields = page.form(DECISION).into_iter().filter(|(name, _)| name != "identity").collect();
    let location = ann.post(DECISION, &with(without, &[("visible_ms", "2000")])).await.location().to_owned();
    let answer = site.token(&redeem(&parameter(&location, "code").unwrap())).await.json();
    assert!(answer["id_token"].is_null() && answer["scope"] == "notes:read:*", "{answer}");
    let info = site.user_info(answer["access_token"].as_str().unwrap()).await;
    assert_eq!(info.oauth_error(), (403, "insufficient_scope".to_owned()), "Core 5.3.3, RFC 6750 3.1");
    // And without openid nothing is asked.
    let page = ann.get(&authorize(&with(authentication_request(), &[("scope", "profile notes:read:*")]))).await;
    assert!(!page.text.contains("Who you are"), "Core 3.1.2.1");
}

#[tokio::test]
async fn a_confidential_application_may_have_its_tokens_signed_by_ed25519() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&with(authentication_request(), &[("client_id", "who-server"), ("redirect_uri", CALLBACK)])).await;
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = format!("Basic {}", STANDARD.encode(format!("who-server:{encoded}")));
    let form = changed(redeem(&code), &[("client_id", "")]);
    let answer = site.application("/login/oauth/token", &form, Some(&basic)).await.json();
    let (header, claims) = verified(answer["id_token"].as_str().unwrap(), &site.plain("/login/oauth/jwks").await);
    assert_eq!((header["alg"].as_str(), claims["aud"].as_str()), (Some("EdDSA"), Some("who-server")), "Core 2, RFC 8037 3.1");
    let hash = ring::digest::digest(&ring::digest::SHA512, answer["access_token"].as_str().unwrap().as_bytes());
    assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&hash.as_ref()[..32]), "Core 3.1.3.6");
}

#[tokio::test]
async fn a_device_learns_who_has_let_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    let device = fields(&[("client_id", "who"), ("scope", "openid email")]);
    let codes = site.application("/login/oauth/device_authorization", &device, None).await.json();
    let page = ann.get("/device").await;
    let page = ann.post("/device", &with(page.form("/device"), &[("user_code", codes["user_code"].as_str().unwrap())])).await;
    assert!(page.text.contains("Who you are: Ann Example"), "{}", page.text);
    ann.post("/device/decision", &with(page.form("/device/decision"), &[("visible_ms", "2000")])).await;
    let poll = fields(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "who"),
        ("device_code", codes["device_code"].as_str().unwrap()),
    ]);
    let answer = site.token(&poll).await.json();
    let (_, told) = verified(answer["id_token"].as_str().unwrap(), &site.plain("/login/oauth/jwks").await);
    assert_eq!((told["email"].as_str(), told["aud"].as_str(), &told["nonce"]), (Some("ann@example.com"), Some("who"), &Value::Null));
}
