//! What an application asks for, and what is refused.

use std::sync::atomic::Ordering;

use super::{Changes, authentication_request, changed, redeem, verified};
use crate::site::applications::{CALLBACK, DECISION, authorize, parameter};
use crate::site::{PASSWORD, site, with};
use http::StatusCode;

/// Requests that are refused at the redirect URI.
pub const REFUSED: [(&str, &str, Changes, &str); 22] = [
    ("Core 3.1.2.6", "none and nothing remembered", &[("prompt", "none")], "consent_required"),
    ("Core 3.1.2.1", "none with another", &[("prompt", "none login")], "invalid_request"),
    ("Core 3.1.2.1", "none with another, the other way round", &[("prompt", "consent none")], "invalid_request"),
    ("Core 3.1.2.1", "a prompt that there is none", &[("prompt", "select_account")], "invalid_request"),
    ("Core 3.1.2.1", "a prompt in capitals", &[("prompt", "NONE")], "invalid_request"),
    ("Core 3.1.2.1", "an age below nothing", &[("max_age", "-1")], "invalid_request"),
    ("Core 3.1.2.1", "an age that is no number", &[("max_age", "soon")], "invalid_request"),
    ("Core 3.1.2.1", "an age with a fraction", &[("max_age", "1.5")], "invalid_request"),
    ("Core 3.1.2.1", "an age beyond what a number holds", &[("max_age", "99999999999999999999")], "invalid_request"),
    ("Core 3.1.2.1", "an age beyond a year", &[("max_age", "999999999")], "invalid_request"),
    ("Core 3.1.2.1", "a nonce with a line end", &[("nonce", "a\nb")], "invalid_request"),
    ("Core 3.1.2.1", "a nonce of other letters", &[("nonce", "ä")], "invalid_request"),
    ("Core 3.1.2.1", "the implicit flow", &[("response_type", "id_token")], "unsupported_response_type"),
    ("Core 3.2.2.1", "the implicit flow with a token", &[("response_type", "id_token token")], "unsupported_response_type"),
    ("Core 3.3.2.1", "the hybrid flow", &[("response_type", "code id_token")], "unsupported_response_type"),
    ("Core 3.3.2.1", "the hybrid flow with a token", &[("response_type", "code token")], "unsupported_response_type"),
    ("Core 6.1", "a request object", &[("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
    ("Core 6.2", "the address of one", &[("request_uri", "https://evil.example/r")], "request_uri_not_supported"),
    ("Core 3.1.2.1", "a scope that it may not ask for", &[("scope", "openid address")], "invalid_scope"),
    ("Core 11", "access while nobody is there", &[("scope", "openid offline_access")], "invalid_scope"),
    ("Core 5.4", "an application that may not ask who it is", &[("client_id", "page"), ("scope", "openid")], "invalid_scope"),
    ("RFC 7636 4.4.1", "no PKCE", &[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
];

/// Parameters that are passed over (Core 3.1.2.1: they need not be understood).
pub const IGNORED: [(&str, Changes); 8] = [
    ("Core 3.1.2.1", &[("display", "popup")]),
    ("Core 3.1.2.1", &[("ui_locales", "de fr")]),
    ("Core 5.2", &[("claims_locales", "de")]),
    ("Core 3.1.2.1", &[("login_hint", "bob")]),
    ("Core 5.5.1.1", &[("acr_values", "2")]),
    ("Core 3.1.2.1", &[("prompt", "consent")]),
    ("Core 3.1.2.1", &[("max_age", "3600")]),
    ("Core 3.1.2.1", &[("unknown", "x")]),
];

#[tokio::test]
async fn requests_are_refused_or_understood_as_the_tables_have_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (section, name, changes, error) in REFUSED {
        let page = ann.get(&authorize(&changed(authentication_request(), changes))).await;
        let location = page.location();
        assert!(location.starts_with(&format!("{CALLBACK}?error={error}")), "{section}: {name}: {location}");
        assert_eq!(parameter(location, "state").as_deref(), Some("st&1"), "{section}: {name}");
        assert!(parameter(location, "code").is_none(), "{section}: {name}");
    }
    for (section, changes) in IGNORED {
        let page = ann.get(&authorize(&changed(authentication_request(), changes))).await;
        assert_eq!(page.status, StatusCode::OK, "{section}: {changes:?}: {}", page.text);
    }
    let nobody = site.browser().get(&authorize(&with(authentication_request(), &[("prompt", "none")]))).await;
    assert!(nobody.location().starts_with(&format!("{CALLBACK}?error=login_required")), "Core 3.1.2.6: {}", nobody.location());
}

#[tokio::test]
async fn who_has_to_sign_in_anew_does_so_once() {
    let site = site().await;
    for (section, name, changes, wait_ms) in [
        ("Core 3.1.2.1", "login", &[("prompt", "login")][..], 0),
        ("Core 3.1.2.1", "an age of nothing", &[("max_age", "0")], 0),
        ("Core 3.1.2.1", "an age that is over", &[("max_age", "30")], 31_000),
        ("Core 3.1.2.1", "login and consent", &[("prompt", "login consent")], 0),
    ] {
        let mut ann = site.ann().await;
        let before = site.clock.0.fetch_add(wait_ms, Ordering::SeqCst) / 1000;
        let requested = with(authentication_request(), changes);
        let again = ann.get(&authorize(&requested)).await.location().to_owned();
        assert!(again.starts_with("/me/again?anew=yes&next=%2Flogin%2Foauth%2Fauthorize%3F"), "{section}: {name}: {again}");
        site.clock.0.fetch_add(1_000, Ordering::SeqCst);
        let page = ann.get(&again).await;
        assert_eq!(page.status, StatusCode::OK, "{section}: {name}: although the sign-in is fresh");
        let back = ann.post("/me/again", &with(page.form("/me/again"), &[("password", PASSWORD)])).await;
        let page = ann.get(back.location()).await;
        assert_eq!(page.status, StatusCode::OK, "{section}: {name}: {}", page.text);
        site.clock.0.fetch_add(2_000, Ordering::SeqCst);
        let location = ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000")])).await.location().to_owned();
        let answer = site.token(&redeem(&parameter(&location, "code").unwrap())).await.json();
        let (_, told) = verified(answer["id_token"].as_str().unwrap(), &site.plain("/login/oauth/jwks").await);
        assert!(told["auth_time"].as_i64().unwrap() > before + wait_ms / 1000 - 1, "{section}: {name}: {told}");
        let none = ann.get(&authorize(&with(requested.clone(), &[("prompt", "none"), ("max_age", "0")]))).await;
        assert!(none.location().contains("error=login_required"), "Core 3.1.2.6: {}", none.location());
    }
    // Whoever is not signed in does it once too.
    let mut nobody = site.browser();
    let login = nobody.get(&authorize(&with(authentication_request(), &[("prompt", "login")]))).await.location().to_owned();
    let back = nobody.sign_in(&login).await;
    assert_eq!(nobody.get(back.location()).await.status, StatusCode::OK);
}
