//! Passkeys and recovery codes on pages: what needs a fresh sign-in, and what a browser is told.

use std::sync::atomic::Ordering;

use crate::site::{PASSWORD, site, site_at, with};
use http::StatusCode;

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
        let repeated = ann.post(action, form).await;
        assert_eq!(repeated.status, StatusCode::FORBIDDEN, "{action}: {}", repeated.text);
        assert!(repeated.text.contains("Nothing of what you have chosen is lost"), "{action}: {}", repeated.text);
        assert!(repeated.header("set-cookie").is_empty() && !repeated.form("/me/again").is_empty(), "{action}");
    }
    assert_eq!(ann.get("/me/passkeys").await.location(), "/me/again?next=%2Fme%2Fpasskeys");
    let second = ann.get("/me/again?next=/me/passkeys").await;
    let form = second.form("/me/again");
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

/// The request of a site waits where the mail was asked for.
#[tokio::test]
async fn a_forgotten_password_is_mended_and_the_request_under_way_goes_on() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut browser = site.browser();
    let login = browser.get(&format!("/login?target={}&description=x", crate::site::TARGET)).await;
    let link = login.text.split("href=\"/login/forgotten").nth(1).expect("a link to it").split('"').next().unwrap();
    let asking = browser.get(&format!("/login/forgotten{}", link.replace("&#38;", "&").replace("&amp;", "&"))).await;
    assert_eq!(asking.status, StatusCode::OK);
    let form = asking.form("/login/forgotten");
    let next = form.iter().find(|(name, _)| name == "next").unwrap().1.clone();
    assert!(next.starts_with("/?target="), "{next}");
    let mut answers = Vec::new();
    for who in ["ann", "ann@example.com", "nobody", "nobody@example.com"] {
        let sent = browser.post("/login/forgotten", &with(form.clone(), &[("who", who)])).await;
        answers.push((sent.status, sent.location().to_owned(), sent.text.clone()));
        site.login.mail_is_sent().await;
    }
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == StatusCode::SEE_OTHER), "{answers:?}");
    let sent = browser.get(&answers[0].1).await;
    assert!(sent.text.contains("Look at your mail") && !sent.text.contains("<form method=\"post\" action=\"/login/forgotten\""));
    let mails = std::mem::take(&mut *site.mails.0.lock().unwrap());
    assert_eq!(mails.len(), 2);
    let url = mails[1].lines().find_map(|line| line.strip_prefix(site.origin.as_str())).unwrap();
    // In another browser, as mail is often read on another device.
    let mut other = site.browser();
    let form = other.get(url).await.form("/password-link");
    let typed = [("password", "another horse battery"), ("repeat", "another horse battery")];
    assert_eq!(other.post("/password-link", &with(form, &typed)).await.location(), "/login?done=password-set");
    assert_eq!(other.get(url).await.status, StatusCode::GONE);
    assert!(ann.get("/").await.location().starts_with("/login"), "sessions of before end");
    let back = sent.text.split("href=\"/login?next=").nth(1).unwrap().split('"').next().unwrap();
    let form = browser.get(&format!("/login?next={back}")).await.form("/login");
    let signed_in = browser.post("/login", &with(form, &[("name", "ann"), ("password", "another horse battery")])).await;
    assert_eq!(signed_in.location(), next);
    // Refusals are in words.
    let mut third = site.browser();
    let form = third.get("/login/forgotten").await.form("/login/forgotten");
    let wrong = third.post("/login/forgotten", &with(form.clone(), &[("who", "no name, no address")])).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text.contains("neither a name nor an e-mail address"));
    let form = with(form, &[("who", "nobody")]);
    for _ in 0..3 {
        third.post("/login/forgotten", &form).await;
    }
    let throttled = loop {
        let answer = third.post("/login/forgotten", &form).await;
        if answer.status != StatusCode::SEE_OTHER {
            break answer;
        }
    };
    assert_eq!((throttled.status, throttled.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "900"));
}
