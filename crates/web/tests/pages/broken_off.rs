//! What is done, and what is said of it, where nobody waits for the answer or the store is away half way.

use std::pin::pin;
use std::task::Poll;

use http::StatusCode;

use crate::site::applications::{DECISION, Fields, authorization_fields, authorize};
use crate::site::{Browser, Site, site, with};

/// The page of `page`, with the form that a press sends.
async fn form(browser: &mut Browser<'_>) -> Fields {
    let page = browser.get(&authorize(&authorization_fields())).await;
    with(page.form(DECISION), &[("visible_ms", "2000")])
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
