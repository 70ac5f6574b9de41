//! How many codes are given and typed, and what is no guess.

use super::{DECISION, code, tv};
use crate::site::{site, with};
use http::StatusCode;

/// Story: each press on the page of a device counted as a code that was typed. Thirty searches said "Too many codes were tried", and the ticks were gone.
#[tokio::test]
async fn what_is_pressed_on_the_page_of_a_device_is_no_guess() {
    let site = site().await;
    let mut ann = site.ann().await;
    let codes = site.codes().await;
    let mut page = ann.types(code(&codes)).await;
    let search = [("find", "notes"), ("search", "yes")];
    for pressed in 0..40 {
        page = ann.post(DECISION, &with(page.form(DECISION), &search)).await;
        assert_eq!(page.status, StatusCode::OK, "{pressed}: {}", page.text);
    }
    let sent = page.form(DECISION).into_iter().find(|(name, _)| name == "request").unwrap().1;
    // What was looked up is this code, by this person: whatever else a form says is a code that was typed.
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    let mut eve = site.somebody("eve", &["notes:*"]).await;
    let other = sent.replace(code(&codes), "BBBB-BBBB");
    for (browser, sent, until) in [(&mut bob, &sent, StatusCode::OK), (&mut eve, &other, StatusCode::UNPROCESSABLE_ENTITY)] {
        let form = browser.get("/device").await.form("/device");
        let form = with(with(page.form(DECISION), &search), &[("csrf", &form[0].1), ("request", sent)]);
        for pressed in 0..30 {
            assert_eq!(browser.post(DECISION, &form).await.status, until, "{pressed}");
        }
        assert_eq!(browser.post(DECISION, &form).await.status, StatusCode::TOO_MANY_REQUESTS, "{sent}");
    }
    let granted = ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000"), ("search", "")])).await;
    assert_eq!(granted.location(), "/device/done", "{}", granted.text);
}

#[tokio::test]
async fn one_network_gets_a_bounded_number_of_codes() {
    let site = site().await;
    for _ in 0..50 {
        site.codes().await;
    }
    let refused = site.asks(&tv()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "600"), "{}", refused.text);
    site.later(600_001);
    site.codes().await;
}
