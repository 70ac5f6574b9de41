//! Signing out where an application asks for it.

use std::sync::atomic::Ordering;

use super::{Changes, authentication_request, redeem};
use crate::site::applications::{CALLBACK, fields};
use crate::site::{site, with};
use http::StatusCode;

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
        let gone = ann.post("/login/oauth/logout", &page.form("/login/oauth/logout")).await;
        assert!(gone.location().starts_with(leads), "{section}: {sent:?}: {}", gone.location());
        assert!(!ann.is_signed_in(), "{section}: {sent:?}");
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
}
