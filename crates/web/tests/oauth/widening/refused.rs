//! What nobody gets who asks for more: in vain, too late, too often, or in somebody else's place.

use http::{Method, StatusCode};
use serde_json::json;

use super::{DEVICE_CODE, MINUTE_MS, PAGE, REASON, error, page_of};
use crate::site::applications::fields;
use crate::site::{site, with};

#[tokio::test]
async fn a_request_ends_refused_in_time_and_with_its_grant() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let refused = site.waiting(&token, &[]).await;
    assert_eq!(ann.answers(page_of(&refused), &[("cancel", "yes")]).await.location(), "/me/grants?done=refused");
    assert_eq!(site.comes_for(&refused).await.oauth_error(), error("access_denied"));
    assert_eq!(ann.get(page_of(&refused)).await.status, StatusCode::NOT_FOUND, "refused is refused");

    let late = site.waiting(&token, &[]).await;
    let open = ann.get(page_of(&late)).await;
    site.wait_ms(30 * MINUTE_MS);
    assert_eq!(site.comes_for(&late).await.oauth_error(), error("expired_token"));
    assert_eq!(ann.post(PAGE, &with(open.form(PAGE), &[("visible_ms", "2000")])).await.status, StatusCode::NOT_FOUND);
    assert!(!ann.get("/").await.text.contains("Asks for more"));

    let token = site.small_token(&mut ann).await;
    let orphan = site.waiting(&token, &[]).await;
    let open = ann.get(page_of(&orphan)).await;
    let revoke = fields(&[("token", &token), ("client_id", "page")]);
    assert_eq!(site.application("/login/oauth/revoke", &revoke, None).await.status, StatusCode::OK);
    assert_eq!(site.comes_for(&orphan).await.oauth_error(), error("access_denied"));
    assert_eq!(ann.post(PAGE, &with(open.form(PAGE), &[("visible_ms", "2000")])).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ann.get(page_of(&orphan)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.living().await.len(), 1, "the first one, of which nothing became more");

    // Granted, and nobody comes.
    let token = site.small_token(&mut ann).await;
    let left = site.waiting(&token, &[]).await;
    ann.answers(page_of(&left), &[]).await;
    site.wait_ms(30 * MINUTE_MS);
    assert_eq!(site.comes_for(&left).await.oauth_error(), error("expired_token"));
    assert_eq!(site.living().await.len(), 2);
}

#[tokio::test]
async fn nobody_else_sees_a_request_or_answers_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let waiting = site.waiting(&token, &[]).await;
    let page = page_of(&waiting).to_owned();
    let form = with(ann.get(&page).await.form(PAGE), &[("visible_ms", "2000")]);
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    assert_eq!(bob.get(&page).await.status, StatusCode::NOT_FOUND);
    assert!(!bob.get("/me/grants").await.text.contains("minutes"));
    let own = bob.get("/").await.form("/logout");
    let csrf = own.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    for changes in [&[("csrf", csrf.as_str())][..], &[("csrf", csrf.as_str()), ("cancel", "yes")]] {
        assert_eq!(bob.post(PAGE, &with(form.clone(), changes)).await.status, StatusCode::NOT_FOUND);
    }
    // A form without the session's token, of another origin, of nobody, with another id in it, and the code in place of the id.
    assert_eq!(ann.post(PAGE, &with(form.clone(), &[("csrf", "x")])).await.status, StatusCode::FORBIDDEN);
    let encoded = crate::site::encode(&form);
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(ann.send(Method::POST, PAGE, &foreign, Some(encoded)).await.status, StatusCode::FORBIDDEN);
    assert!(site.browser().post(PAGE, &form).await.location().starts_with("/login?next="));
    for id in ["", "id=", "id=AAAAAAAAAAAAAAAAAAAAAA", "id=%00", "user_code=BCDF-GHJK"] {
        assert_eq!(ann.post(PAGE, &with(form.clone(), &[("request", id)])).await.status, StatusCode::NOT_FOUND, "{id}");
    }
    let code = format!("{PAGE}?id={}", waiting["device_code"].as_str().unwrap());
    assert_eq!(ann.get(&code).await.status, StatusCode::NOT_FOUND);
    // Nor is it a device: its id is no short code, and another application gets nothing for the code.
    let id = page.split_once("id=").unwrap().1.to_owned();
    let typed = ann.get("/device").await.form("/device");
    assert_eq!(ann.post("/device", &with(typed, &[("user_code", &id)])).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let code = waiting["device_code"].as_str().unwrap();
    let other = fields(&[("grant_type", DEVICE_CODE), ("client_id", "tv"), ("device_code", code)]);
    assert_eq!(site.token(&other).await.oauth_error(), error("invalid_grant"));
    assert_eq!(site.living().await.len(), 1);
    assert_eq!(site.comes_for(&waiting).await.oauth_error(), error("authorization_pending"), "it still waits");
}

#[tokio::test]
async fn a_grant_asks_so_often_and_no_more() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    for _ in 0..5 {
        site.waiting(&token, &[]).await;
    }
    let refused = site.asks_for_more(&token, &[]).await;
    assert_eq!((refused.status, refused.header("retry-after").is_empty()), (StatusCode::TOO_MANY_REQUESTS, false));
    let credentials = site.credentials(&token).await.json()["credentials"].clone();
    let asked = json!({"scopes": ["notes:write:mine"], "reason": REASON});
    let refused = site.by_hawk(&credentials, "/api/falconer/v1/grant-requests", &asked).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "whoever asks by whatever way: {}", refused.text);
    assert!(ann.get("/").await.text.contains("Asks for more (5)"));
    // Another grant may, until there are too many for the person.
    for _ in 0..5 {
        let token = site.small_token(&mut ann).await;
        for _ in 0..5 {
            site.waiting(&token, &[]).await;
        }
    }
    let token = site.small_token(&mut ann).await;
    assert_eq!(site.asks_for_more(&token, &[]).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn what_can_not_be_asked_for_is_refused_before_anybody_is_asked() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let long = "x".repeat(201);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("subject_token", "")], "invalid_request"),
        (&[("subject_token", "nothing")], "invalid_request"),
        (&[("subject_token_type", "")], "invalid_request"),
        (&[("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token")], "invalid_request"),
        (&[("client_id", "other")], "invalid_grant"),
        (&[("client_id", "nobody")], "invalid_client"),
        (&[("client_id", "server")], "invalid_client"),
        (&[("client_id", "")], "invalid_client"),
        (&[("reason", "")], "invalid_request"),
        (&[("reason", " ")], "invalid_request"),
        (&[("reason", &long)], "invalid_request"),
        (&[("reason", "a\nb")], "invalid_request"),
        (&[("reason", "a\u{202e}b")], "invalid_request"),
        (&[("reason", "\u{3164}")], "invalid_request"),
        (&[("scope", "notes:read:red")], "invalid_request"),
        (&[("scope", "")], "invalid_request"),
        (&[("scope", "notes:*")], "invalid_scope"),
        (&[("scope", "queue:ping")], "invalid_scope"),
        (&[("scope", "notes:read:blue *")], "invalid_scope"),
        (&[("scope", "%41")], "invalid_scope"),
        (&[("scope", "assume:grant:AAAAAAAAAAAAAAAAAAAAAA")], "invalid_scope"),
        (&[("expires", "soon")], "invalid_request"),
        (&[("expires", "0 seconds")], "invalid_request"),
        (&[("expires", "-1 hour")], "invalid_request"),
    ];
    for (changes, word) in cases {
        let (status, got) = site.asks_for_more(&token, changes).await.oauth_error();
        assert_eq!((got.as_str(), status == 400 || status == 401), (*word, true), "{changes:?}");
    }
    let credentials = site.credentials(&token).await.json()["credentials"].clone();
    for (asked, status) in [
        (json!({"scopes": ["queue:ping"], "reason": "more than the application may ask for"}), 400),
        (json!({"scopes": ["notes:read:red"], "reason": "it has that"}), 400),
        (json!({"reason": "nothing"}), 400),
        (json!({"scopes": ["notes:write:mine"], "reason": "a\u{202e}b"}), 400),
        (json!({"scopes": ["notes:write:mine"]}), 400),
        (json!({"scopes": ["notes:write:mine"], "reason": "then", "expires": "2001-01-01T00:00:00.000Z"}), 400),
        (json!({"scopes": ["notes:write:mine"], "reason": "x", "person": "local/bob"}), 400),
    ] {
        let answer = site.by_hawk(&credentials, "/api/falconer/v1/grant-requests", &asked).await;
        assert_eq!(answer.status.as_u16(), status, "{asked} {}", answer.text);
    }
    assert!(!ann.get("/").await.text.contains("Asks for more"));
}
