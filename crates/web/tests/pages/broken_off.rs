//! What is done, and what is said of it, where nobody waits for the answer or the store is away half way.

use std::pin::pin;
use std::task::Poll;

use http::StatusCode;

use crate::site::applications::{DECISION, Fields, authorization_fields, authorize, exchange, fields};
use crate::site::{Browser, PASSWORD, Page, Site, site, with};

/// The form that a press on the page of `page` sends.
async fn form(browser: &mut Browser<'_>) -> Fields {
    form_of(browser, &authorization_fields()).await
}

/// The same for other parameters.
async fn form_of(browser: &mut Browser<'_>, asked: &Fields) -> Fields {
    let page = browser.get(&authorize(asked)).await;
    with(page.form(DECISION), &[("visible_ms", "2000")])
}

/// What a page may say behind a change.
fn assert_unknown(page: &Page) {
    let text = &page.text;
    assert_eq!((page.status, text.contains("say whether that was done")), (StatusCode::SERVICE_UNAVAILABLE, true), "{text}");
    assert!(!text.contains("Nothing was"), "{text}");
}

/// Sends a form, and breaks off where the store's method of this name would be next.
async fn break_off(site: &Site, browser: &mut Browser<'_>, path: &str, form: &Fields, method: &'static str) {
    let before = site.counted.calls_of(method);
    *site.counted.hangs.lock().unwrap() = Some(method);
    let mut press = pin!(browser.post(path, form));
    while site.counted.calls_of(method) == before {
        let waits = std::future::poll_fn(|context| Poll::Ready(press.as_mut().poll(context).is_pending())).await;
        assert!(waits, "it was answered");
        tokio::task::yield_now().await;
    }
}

async fn mails(site: &Site) -> Vec<String> {
    site.login.mail_is_sent().await;
    std::mem::take(&mut *site.mails.0.lock().unwrap())
}

// Story: the mail went out with the answer. Whoever sat at somebody's browser pressed, broke off, and pressed again: the second press makes no grant.
#[tokio::test]
async fn a_grant_is_mailed_about_although_nobody_waits_for_its_answer() {
    let site = site().await;
    let mut ann = site.ann().await;
    let fields = form(&mut ann).await;
    break_off(&site, &mut ann, DECISION, &fields, "insert_grant_secret").await;
    assert!(ann.post(DECISION, &fields).await.location().contains("code="));
    let mails = mails(&site).await;
    assert_eq!((mails.len(), mails.iter().all(|text| text.contains("https://app.example"))), (1, true), "{mails:?}");
}

// The same where a double click or a hung-up connection is not the reason, but the database.
#[tokio::test]
async fn a_grant_is_mailed_about_although_its_code_could_not_be_kept() {
    let site = site().await;
    let mut ann = site.ann().await;
    let fields = form(&mut ann).await;
    site.counted.lose_after("insert_grant_secret", 0);
    assert_eq!(ann.post(DECISION, &fields).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ann.post(DECISION, &fields).await.location().contains("code="));
    assert_eq!(mails(&site).await.len(), 1);
}

// An application that goes unasked is answered with a grant of its own each time, and each is mailed about.
#[tokio::test]
async fn a_grant_that_nobody_was_asked_for_is_mailed_about_although_nobody_waits() {
    let site = site().await;
    let mut ann = site.ann().await;
    let ours = authorize(&with(authorization_fields(), &[("client_id", "ours"), ("scope", "notes:read:*")]));
    let before = site.counted.calls_of("insert_grant_secret");
    site.counted.lose_after("insert_grant_secret", 0);
    assert_eq!(ann.get(&ours).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.counted.calls_of("insert_grant_secret"), before + 1, "there is a grant");
    assert_eq!(mails(&site).await.len(), 1);
}

// Story: "Nothing was changed", and there was a grant, in the name of whoever went away at that.
#[tokio::test]
async fn nobody_is_told_that_nothing_was_changed_where_there_is_a_grant() {
    let site = site().await;
    let mut ann = site.ann().await;
    let knows = with(authorization_fields(), &[("client_id", "who"), ("scope", "openid notes:read:*")]);
    let mut made = 0;
    for (asked, method) in
        [(authorization_fields(), "insert_grant_secret"), (knows.clone(), "put_grant_identity"), (knows, "insert_grant_secret")]
    {
        let form = with(form_of(&mut ann, &asked).await, &[("identity", "yes")]);
        site.counted.lose_after(method, 0);
        assert_unknown(&ann.post(DECISION, &form).await);
        made += 1;
        let list = ann.get("/me/grants").await;
        assert_eq!(list.text.matches("name=\"grant\"").count(), made, "{method}");
    }
    let ours = authorize(&with(authorization_fields(), &[("client_id", "ours"), ("scope", "notes:read:*")]));
    site.counted.lose_after("insert_grant_secret", 0);
    assert_unknown(&ann.get(&ours).await);
}

#[tokio::test]
async fn nobody_is_told_that_nothing_was_changed_where_a_device_has_a_grant() {
    let site = site().await;
    let mut ann = site.ann().await;
    let asked = fields(&[("client_id", "tv"), ("scope", "notes:read:*")]);
    let codes = site.application("/login/oauth/device_authorization", &asked, None).await.json();
    let page = ann.get("/device").await;
    let page = ann.post("/device", &with(page.form("/device"), &[("user_code", codes["user_code"].as_str().unwrap())])).await;
    let form = with(page.form("/device/decision"), &[("visible_ms", "2000")]);
    site.counted.lose_after("answer_device_request", 0);
    assert_unknown(&ann.post("/device/decision", &form).await);
    // The same press once more is the answer for the device.
    assert_eq!(ann.post("/device/decision", &form).await.status, StatusCode::SEE_OTHER);
}

// Story: the page said that nothing was changed, and whoever wanted to stop a site looked for another way. Only where to go next was not known.
#[tokio::test]
async fn a_revocation_is_told_although_what_is_left_of_the_grant_is_not_known() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (page, path, to) in [("/", "/me/revoke", "/?done=revoked#grants"), ("/me/grants", "/me/grants/revoke", "/me/grants?done=revoked")] {
        let code = ann.code(&authorization_fields()).await;
        let form = ann.get(page).await.form(path);
        site.counted.lose_after("grant_history", 0);
        assert_eq!(ann.post(path, &form).await.location(), to);
        assert!(site.counted.later.lock().unwrap().is_none(), "it was asked");
        assert_eq!(site.token(&exchange(&code)).await.oauth_error(), (400, "invalid_grant".to_owned()));
    }
}

// Story: the accounts were linked and all sessions had ended, and the browser was told that nothing was changed, without its new session.
#[tokio::test]
async fn a_session_begins_although_the_one_before_could_not_be_ended() {
    let site = site().await;
    site.somebody("bob", &[]).await;
    let mut ann = site.ann().await;
    let form = ann.get("/me/link").await.form("/me/link");
    ann.post("/me/link", &with(form, &[("own_password", PASSWORD), ("name", "bob"), ("password", PASSWORD)])).await;
    let form = ann.get("/me/link").await.form("/me/link/confirm");
    site.counted.lose_after("succeed_session", 0);
    assert_eq!(ann.post("/me/link/confirm", &form).await.location(), "/?done=linked");
    assert_eq!(ann.get("/").await.status, StatusCode::OK);

    // Of two identities the first has forgotten the site already.
    let csrf = with(ann.get("/").await.form("/logout"), &[("origin", "https://a.example")]);
    site.counted.lose_after("forget_origin", 1);
    assert_unknown(&ann.post("/me/forget", &csrf).await);
    site.counted.lose_after("forget_consent", 1);
    assert_unknown(&ann.post("/me/forget", &with(csrf, &[("application", "remembered")])).await);
}

// The same with a code that is used up.
#[tokio::test]
async fn a_recovery_code_that_is_used_up_signs_in() {
    let site = site().await;
    let mut ann = site.ann().await;
    let form = ann.get("/me/passkeys").await.form("/me/recovery-codes");
    let shown = ann.post("/me/recovery-codes", &form).await;
    let code = shown.text.split("class=\"token\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let mut browser = site.browser();
    let form = browser.get("/login/recovery").await.form("/login/recovery");
    browser.sign_in("/login").await;
    site.counted.lose_after("succeed_session", 0);
    let answer = browser.post("/login/recovery", &with(form, &[("name", "ann"), ("code", &code)])).await;
    assert_eq!((answer.location(), answer.header("set-cookie").is_empty()), ("/", false));
}
