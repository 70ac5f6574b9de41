//! Codes and what they are exchanged for (OpenID Connect Core 1.0 section 3.1.3, RFC 7636).

use std::sync::atomic::Ordering;

use super::{Changes, authentication_request, changed, redeem, refreshes};
use crate::site::applications::{CALLBACK, SECRET, VERIFIER, parameter};
use crate::site::{Page, Site, site, with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

/// Requests to the token endpoint that are refused: the section, the request, what is another in it, and the error. Each begins with a code of its own.
pub const REFUSED: [(&str, &str, Changes, (u16, &str)); 23] = [
    ("Core 3.1.3.2", "a code that there is none", &[("code", "zzz")], (400, "invalid_grant")),
    ("Core 3.1.3.2", "no code", &[("code", "")], (400, "invalid_request")),
    ("Core 3.1.3.2", "another redirect URI of the application", &[("redirect_uri", "http://127.0.0.1:4000/out")], (400, "invalid_grant")),
    ("Core 3.1.3.2", "a redirect URI of nobody", &[("redirect_uri", "https://evil.example/cb")], (400, "invalid_grant")),
    ("Core 3.1.3.2", "a redirect URI with more at its end", &[("redirect_uri", "https://app.example/cb/")], (400, "invalid_grant")),
    ("Core 3.1.3.1", "no redirect URI", &[("redirect_uri", "")], (400, "invalid_request")),
    ("Core 3.1.3.2", "another public application", &[("client_id", "page")], (400, "invalid_grant")),
    (
        "Core 3.1.3.2",
        "an application that proves itself",
        &[("client_id", "who-server"), ("client_secret", SECRET)],
        (400, "invalid_grant"),
    ),
    ("Core 3.1.3.2", "an application that there is none", &[("client_id", "zzz")], (401, "invalid_client")),
    ("Core 3.1.3.1", "nobody", &[("client_id", "")], (400, "invalid_grant")),
    ("Core 9", "a confidential one without its secret", &[("client_id", "who-server")], (401, "invalid_client")),
    ("Core 9", "with another secret", &[("client_id", "who-server"), ("client_secret", "another")], (401, "invalid_client")),
    ("Core 9", "a public one with a secret", &[("client_secret", SECRET)], (401, "invalid_client")),
    (
        "Core 9",
        "with an assertion",
        &[
            ("client_id", ""),
            ("client_assertion", "eyJ.e30.x"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ],
        (401, "invalid_client"),
    ),
    ("RFC 6749 5.2", "no grant type", &[("grant_type", "")], (400, "unsupported_grant_type")),
    ("RFC 6749 5.2", "one that there is none", &[("grant_type", "zzz")], (400, "unsupported_grant_type")),
    ("RFC 6749 4.3", "a password", &[("grant_type", "password"), ("username", "ann"), ("password", "x")], (400, "unsupported_grant_type")),
    ("RFC 6749 4.4", "the application for itself", &[("grant_type", "client_credentials")], (400, "unsupported_grant_type")),
    ("RFC 7636 4.6", "no verifier", &[("code_verifier", "")], (400, "invalid_grant")),
    ("RFC 7636 4.6", "another verifier", &[("code_verifier", "another-verifier-of-at-least-43-characters-0123")], (400, "invalid_grant")),
    ("RFC 7636 4.1", "a verifier that is too short", &[("code_verifier", "a-verifier")], (400, "invalid_grant")),
    (
        "RFC 7636 4.6",
        "the verifier in capitals",
        &[("code_verifier", "A-VERIFIER-OF-AT-LEAST-43-CHARACTERS-AS-RFC-7636-SAYS")],
        (400, "invalid_grant"),
    ),
    ("RFC 8707 2.2", "a resource", &[("resource", "https://notes.example.com/#x")], (400, "invalid_target")),
];

#[tokio::test]
async fn exchanges_are_refused_as_the_table_has_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (section, name, changes, (status, error)) in REFUSED {
        let code = ann.code(&authentication_request()).await;
        let answer = site.token(&changed(redeem(&code), changes)).await;
        assert_eq!(answer.oauth_error(), (status, error.to_owned()), "{section}: {name}");
        assert!(answer.json()["id_token"].is_null(), "{section}: {name}");
        // Whoever came with a code that was not theirs has used it up: nobody gets anything for it.
        if error == "invalid_grant" && changes.iter().all(|(field, _)| *field != "code") {
            assert_eq!(site.token(&redeem(&code)).await.oauth_error().1, "invalid_grant", "{section}: {name}: it is used up");
        }
    }
}

/// How applications prove who they are, and go through with it (Core 9).
pub const PROOFS: [(&str, &str, &str); 4] = [
    ("Core 9", "none", "who"),
    ("Core 9", "client_secret_basic", "who-server"),
    ("Core 9", "client_secret_post", "who-server"),
    ("RFC 6749 2.3.1", "client_secret_basic with client_id in the form", "who-server"),
];

#[tokio::test]
async fn an_application_proves_who_it_is_by_each_way_that_the_server_names() {
    let site = site().await;
    let mut ann = site.ann().await;
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = format!("Basic {}", STANDARD.encode(format!("who-server:{encoded}")));
    for (section, way, application) in PROOFS {
        let code = ann.code(&with(authentication_request(), &[("client_id", application)])).await;
        let form = with(redeem(&code), &[("client_id", application)]);
        let answer = match way {
            "none" => site.token(&form).await,
            "client_secret_post" => site.token(&with(form, &[("client_secret", SECRET)])).await,
            "client_secret_basic" => site.application("/login/oauth/token", &with(form, &[("client_id", "")]), Some(&basic)).await,
            _ => site.application("/login/oauth/token", &form, Some(&basic)).await,
        };
        assert_eq!(answer.status, StatusCode::OK, "{section}: {way}: {}", answer.text);
        assert!(answer.json()["id_token"].is_string(), "{section}: {way}");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"), "Core 3.1.3.3: {way}");
        assert_eq!(answer.header("content-type"), "application/json", "Core 3.1.3.3: {way}");
    }
}

/// What counts no more after a code was used twice.
async fn counts(site: &Site, answer: &serde_json::Value) -> (StatusCode, Page) {
    let token = answer["access_token"].as_str().unwrap();
    (site.user_info(token).await.status, site.token(&refreshes(answer)).await)
}

#[tokio::test]
async fn a_code_is_used_once_and_soon() {
    let site = site().await;
    let mut ann = site.ann().await;
    for wait_ms in [0, 30_000] {
        let code = ann.code(&authentication_request()).await;
        let answer = site.token(&redeem(&code)).await.json();
        site.clock.0.fetch_add(wait_ms, Ordering::SeqCst);
        assert_eq!(site.token(&redeem(&code)).await.oauth_error(), (400, "invalid_grant".to_owned()), "Core 3.1.3.2");
        let (status, again) = counts(&site, &answer).await;
        assert_eq!((status, again.oauth_error().1.as_str()), (StatusCode::UNAUTHORIZED, "invalid_grant"), "RFC 6749 4.1.2");
    }
    let code = ann.code(&authentication_request()).await;
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    assert_eq!(site.token(&redeem(&code)).await.oauth_error().1, "invalid_grant", "RFC 6749 4.1.2: a minute later");
    // Of many who come at once one gets tokens, and then they count no more either.
    let code = ann.code(&authentication_request()).await;
    let form = redeem(&code);
    let answers = futures_util::future::join_all((0..64).map(|_| site.token(&form))).await;
    let given: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(given.len(), 1);
    assert_eq!(counts(&site, &given[0].json()).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_answer_names_its_issuer() {
    let site = site().await;
    let location = site.ann().await.grant(&authentication_request()).await;
    assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
    assert_eq!(parameter(&location, "iss").as_deref(), Some("https://auth.example.com"), "RFC 9207 2");
    assert_eq!(parameter(&location, "state").as_deref(), Some("st&1"), "Core 3.1.2.5");
    assert!(VERIFIER.len() >= 43 && !location.contains(VERIFIER), "RFC 7636 4.1");
}
