//! Passkeys and recovery codes on pages: what needs a fresh sign-in, and what a browser is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod site;

use std::sync::atomic::Ordering;

use http::StatusCode;
use site::{PASSWORD, site, site_at, with};

/// Whoever found a browser signed in could add a way in of their own, and keep it.
#[tokio::test]
async fn changing_how_one_signs_in_needs_a_fresh_sign_in() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get("/me/passkeys").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let forms = ["/me/passkeys", "/me/recovery-codes"].map(|action| (action, page.form(action)));
    let csrf: Vec<_> = forms[1].1.clone();
    let others = ["/me/passkeys/rename", "/me/passkeys/remove"].map(|action| (action, csrf.clone()));
    site.clock.0.fetch_add(15 * 60_000, Ordering::SeqCst);
    for (action, form) in forms.iter().chain(&others) {
        let again = ann.post(action, form).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN, "{action}: {}", again.text);
        assert!(again.text.contains("Nothing of what you have chosen is lost"), "{action}: {}", again.text);
        assert!(again.header("set-cookie").is_empty() && !again.form("/me/again").is_empty(), "{action}");
    }
    assert_eq!(ann.get("/me/passkeys").await.location(), "/me/again?next=%2Fme%2Fpasskeys");
    let again = ann.get("/me/again?next=/me/passkeys").await;
    let form = again.form("/me/again");
    let before = ann.cookies.clone();
    let wrong = ann.post("/me/again", &with(form.clone(), &[("password", "wrong password")])).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.text.contains("The password is wrong.") && ann.cookies == before);
    assert_eq!(ann.post("/me/again", &with(form, &[("password", PASSWORD)])).await.location(), "/me/passkeys");
    assert_ne!(ann.cookies, before, "a new session");
    assert_eq!(ann.get("/me/passkeys").await.status, StatusCode::OK);
    // The one of before has ended.
    let mut old = site.browser();
    old.cookies = before;
    assert!(old.get("/me/passkeys").await.location().starts_with("/login"));
}

#[tokio::test]
async fn a_recovery_code_is_shown_once_and_signs_in_once() {
    let site = site().await;
    let mut ann = site.ann().await;
    let form = ann.get("/me/passkeys").await.form("/me/recovery-codes");
    let shown = ann.post("/me/recovery-codes", &form).await;
    let codes: Vec<&str> = shown.text.split("class=\"token\">").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(codes.len(), 10);
    assert_eq!(shown.header("cache-control"), "no-store");
    assert!(!ann.get("/me/passkeys").await.text.contains(codes[0]));
    let mut elsewhere = site.browser();
    let form = elsewhere.get("/login/recovery?next=/me/password").await.form("/login/recovery");
    let wrong = elsewhere.post("/login/recovery", &with(form.clone(), &[("name", "ann"), ("code", "0000")])).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    let form = with(form, &[("name", "ann"), ("code", codes[0])]);
    assert_eq!(elsewhere.post("/login/recovery", &form).await.location(), "/me/password");
    let page = elsewhere.get("/").await.text;
    assert!(page.contains("with a recovery code") && page.contains("9 of 10 are left. One was used"), "{page}");
    let mut third = site.browser();
    third.get("/login/recovery").await;
    assert_eq!(third.post("/login/recovery", &form).await.status, StatusCode::FORBIDDEN, "another browser's form");
    let own = with(third.get("/login/recovery").await.form("/login/recovery"), &[("name", "ann"), ("code", codes[0])]);
    assert_eq!(third.post("/login/recovery", &own).await.status, StatusCode::FORBIDDEN, "used");
}

#[tokio::test]
async fn the_sign_in_page_asks_for_a_passkey_where_there_can_be_any() {
    let site = site().await;
    let page = site.browser().get("/login").await;
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    assert!(page.text.contains("autocomplete=\"username webauthn\"") && page.text.contains("data-rp=\"auth.example.com\""));
    let script = page.text.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap();
    let script = site.browser().get(script).await;
    assert_eq!((script.status, script.header("content-type")), (StatusCode::OK, "text/javascript; charset=utf-8"));
    // Nonsense is refused in words, and signs nobody in.
    let mut browser = site.browser();
    let form = browser.get("/login").await.form("/login/passkey");
    let refused = browser.post("/login/passkey", &with(form, &[("id", "AAAA"), ("client_data", "e30")])).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text.contains("does not belong to this page") && !browser.is_signed_in());
    let address = site_at("http://127.0.0.1:8080", falconer_web::RequestLimits::default()).await;
    let page = address.browser().get("/login").await.text;
    assert!(!page.contains("webauthn") && !page.contains("<script"));
}
