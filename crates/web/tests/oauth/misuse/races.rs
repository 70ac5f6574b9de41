//! What may succeed once, tried by many at the same time: one succeeds. Those of codes, refresh tokens, devices and pushed requests are in the files that are about them.

use crate::site::applications::{DECISION, authorization_fields, authorize, exchange, parameter};
use crate::site::{encode, site, with};
use axum::body::Body;
use http::{Request, StatusCode};

#[tokio::test]
async fn of_64_presses_of_one_grant_one_makes_a_grant() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&authorization_fields())).await;
    let form = encode(&with(page.form(DECISION), &[("visible_ms", "2000")]));
    site.clock.0.fetch_add(2_000, std::sync::atomic::Ordering::SeqCst);
    let cookies: Vec<String> = ann.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    let press = || {
        let request =
            Request::post(DECISION).header("cookie", &cookies).header("origin", &site.origin).header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(form.clone())).unwrap();
        site.send(request)
    };
    let pages = futures_util::future::join_all((0..64).map(|_| press())).await;
    let codes: Vec<String> = pages.iter().filter_map(|page| parameter(page.header("location"), "code")).collect();
    assert!(!codes.is_empty());
    assert!(pages.iter().all(|page| !page.status.is_server_error()), "{:?}", pages.iter().map(|page| page.status).collect::<Vec<_>>());
    assert!(ann.get("/").await.text.contains("1 active grant<"));
    // However many codes stand for it, the first that is used gives tokens, and the next one ends them or is none.
    let given = site.token(&exchange(&codes[0])).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text);
}
