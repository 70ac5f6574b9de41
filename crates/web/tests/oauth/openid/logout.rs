//! Signing out where an application asks for it.

use std::sync::atomic::Ordering;

use super::{Changes, authentication_request, redeem};
use crate::site::applications::{CALLBACK, LOGOUT_DECISION, fields};
use crate::site::{site, with};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::DAY_MS;
use http::{Method, StatusCode};

/// Ways to ask that somebody signs out: what is sent, and where it leads; empty: a page that says what is wrong.
pub const ASKED: [(&str, Changes, &str); 9] = [
    ("Logout 2", &[], "/login"),
    ("Logout 2", &[("client_id", "who")], "/login"),
    ("Logout 3", &[("client_id", "who"), ("post_logout_redirect_uri", CALLBACK)], CALLBACK),
    ("Logout 3", &[("client_id", "who"), ("post_logout_redirect_uri", CALLBACK), ("state", "s 1")], "https://app.example/cb?state=s%201"),
    ("Logout 3", &[("client_id", "who"), ("post_logout_redirect_uri", "http://127.0.0.1:5000/out")], "http://127.0.0.1:5000/out"),
    ("Logout 3", &[("client_id", "who"), ("post_logout_redirect_uri", "https://evil.example/cb")], ""),
    ("Logout 3", &[("post_logout_redirect_uri", CALLBACK)], ""),
    ("Logout 2", &[("client_id", "zzz")], ""),
    ("Logout 2", &[("id_token_hint", "eyJhbGciOiJub25lIn0.e30.")], ""),
];

#[tokio::test]
async fn an_application_may_ask_that_somebody_signs_out() {
    let site = site().await;
    for (section, sent, leads) in ASKED {
        let mut ann = site.ann().await;
        let path = format!("/login/oauth/logout?{}", crate::site::encode(&fields(sent)));
        let page = ann.get(&path).await;
        if leads.is_empty() {
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{section}: {sent:?}");
            assert!(ann.is_signed_in());
            continue;
        }
        assert!(page.status == StatusCode::OK && ann.is_signed_in(), "{section}: {sent:?}: the person is asked: {}", page.text);
        let gone = ann.post(LOGOUT_DECISION, &page.form(LOGOUT_DECISION)).await;
        assert!(gone.location().starts_with(leads), "{section}: {sent:?}: {}", gone.location());
        assert!(!ann.is_signed_in(), "{section}: {sent:?}");
        // By a form of the application the browser comes here with the same.
        let form = crate::site::encode(&fields(sent));
        let posted = site.browser().send(Method::POST, "/login/oauth/logout", &[("origin", "https://app.example")], Some(form)).await;
        assert_eq!(site.browser().get(posted.location()).await.location(), gone.location(), "{section}: {sent:?}");
        let nobody = site.browser().get(&path).await;
        assert!(nobody.location().starts_with(leads), "{section}: {sent:?}: {}", nobody.location());
    }
    // The hint is a token of ours, however old, and names the application.
    let mut ann = site.ann().await;
    let code = ann.code(&authentication_request()).await;
    let token = site.token(&redeem(&code)).await.json()["id_token"].as_str().unwrap().to_owned();
    site.clock.0.fetch_add(3_600_000, Ordering::SeqCst);
    let hinted = |more: &[(&str, &str)]| {
        let sent = with(fields(&[("id_token_hint", &token), ("post_logout_redirect_uri", CALLBACK)]), more);
        format!("/login/oauth/logout?{}", crate::site::encode(&sent))
    };
    assert_eq!(site.browser().get(&hinted(&[])).await.location(), CALLBACK, "Logout 2");
    let other = site.browser().get(&hinted(&[("client_id", "page")])).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST, "Logout 2: the hint was made for another application");
    // By a form it gets into no address, and the page of whoever is signed in has none of it.
    let form = crate::site::encode(&with(fields(&[("id_token_hint", &token)]), &[("post_logout_redirect_uri", CALLBACK), ("state", "s")]));
    let posted = ann.send(Method::POST, "/login/oauth/logout", &[("origin", "https://app.example")], Some(form)).await;
    assert!(ann.is_signed_in(), "Logout 2: nobody signs somebody out by a form of theirs");
    let callback = crate::site::encode(&fields(&[("client_id", "who"), ("post_logout_redirect_uri", CALLBACK), ("state", "s")]));
    assert_eq!(posted.location(), format!("/login/oauth/logout?{callback}"), "Logout 2");
    let page = ann.get(&hinted(&[])).await;
    assert!(page.text.contains("<b>The &#60;who&#62; application</b>") && !page.text.contains(&token), "{}", page.text);
}

/// Story: a day after keys were replaced, whoever wanted to sign out was told that the application had made a mistake, and stayed signed in.
#[tokio::test]
async fn a_hint_is_read_for_long_after_its_key_was_replaced_and_then_says_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&authentication_request()).await;
    let token = site.token(&redeem(&code)).await.json()["id_token"].as_str().unwrap().to_owned();
    site.web.grants.rotate_signing_key(None).await.unwrap().unwrap();
    let hint = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", CALLBACK)];
    let alone = format!("/login/oauth/logout?{}", crate::site::encode(&fields(&hint)));
    let with_id = |id: &str| format!("{alone}&client_id={id}");
    site.clock.0.fetch_add(89 * DAY_MS, Ordering::SeqCst);
    assert!(!site.plain("/login/oauth/jwks").await.to_string().contains(&kid(&token)), "nobody else is shown the key any more");
    assert_eq!(site.browser().get(&alone).await.location(), CALLBACK);
    assert_eq!(site.browser().get(&with_id("page")).await.status, StatusCode::BAD_REQUEST, "it was made for another application");
    site.clock.0.fetch_add(2 * DAY_MS, Ordering::SeqCst);
    assert_eq!(site.browser().get(&alone).await.status, StatusCode::BAD_REQUEST);
    for id in ["who", "page"] {
        assert_eq!(site.browser().get(&with_id(id)).await.location(), CALLBACK, "{id}");
    }
}

/// The name of the key that a token says.
fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<serde_json::Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}
