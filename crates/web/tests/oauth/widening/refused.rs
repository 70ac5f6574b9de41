//! What nobody gets who asks for more: in vain, too late, too often, or in somebody else's place.

use falconer_store::{GrantRecord, Store as _};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{DEVICE_CODE, MINUTE_MS, PAGE, REASON, error, page_of};
use crate::derived::derive;
use crate::devices::Changes;
use crate::site::applications::{authorization_fields, exchange, fields};
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

/// Story: the parts of one grant asked as often as a person can be asked by all, and for half an hour nobody else could ask anything.
#[tokio::test]
async fn what_is_derived_from_one_grant_leaves_room_for_others() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let mut taken = 0;
    for _ in 0..6 {
        let part = derive(&site, &token, &[("scope", "notes:read:red")]).await;
        for _ in 0..5 {
            taken += usize::from(site.asks_for_more(&part, &[]).await.status == StatusCode::OK);
        }
    }
    assert_eq!(taken, 10);
    assert_eq!(site.asks_for_more(&token, &[]).await.status, StatusCode::TOO_MANY_REQUESTS, "it is one of them");
    let token = site.small_token(&mut ann).await;
    site.waiting(&token, &[]).await;
}

/// Requests by a token that are refused: what is another in them.
pub const REQUESTS: [(&str, Changes, u16, &str); 31] = [
    ("no token", &[("subject_token", "")], 400, "invalid_request"),
    ("a token that is none", &[("subject_token", "nothing")], 400, "invalid_request"),
    ("no kind of token", &[("subject_token_type", "")], 400, "invalid_request"),
    ("a refresh token", &[("subject_token_type", "urn:ietf:params:oauth:token-type:refresh_token")], 400, "invalid_request"),
    ("the token of another application", &[("client_id", "other")], 400, "invalid_grant"),
    ("a client that nobody registered", &[("client_id", "nobody")], 401, "invalid_client"),
    ("a confidential client without its secret", &[("client_id", "server")], 401, "invalid_client"),
    ("no client", &[("client_id", "")], 401, "invalid_client"),
    ("a public client with a secret", &[("client_secret", "x")], 401, "invalid_client"),
    ("no reason", &[("reason", "")], 400, "invalid_request"),
    ("a reason of blanks", &[("reason", " ")], 400, "invalid_request"),
    ("a reason of 201 characters", &[("reason", "{long}")], 400, "invalid_request"),
    ("a reason of two lines", &[("reason", "a\nb")], 400, "invalid_request"),
    ("a reason that turns the direction of what follows", &[("reason", "a\u{202e}b")], 400, "invalid_request"),
    ("a reason with a mark of direction", &[("reason", "a\u{2067}b")], 400, "invalid_request"),
    ("a reason that nobody sees", &[("reason", "\u{3164}")], 400, "invalid_request"),
    ("a reason with blanks of no width", &[("reason", "a\u{200b}b")], 400, "invalid_request"),
    ("a reason with letters that nobody sees", &[("reason", "a\u{e0041}")], 400, "invalid_request"),
    ("what the grant gives", &[("scope", "notes:read:red")], 400, "invalid_request"),
    ("nothing", &[("scope", "")], 400, "invalid_request"),
    ("everything of a service", &[("scope", "notes:*")], 400, "invalid_scope"),
    ("everything", &[("scope", "*")], 400, "invalid_scope"),
    ("what the application may not ask for", &[("scope", "queue:ping")], 400, "invalid_scope"),
    ("the same beside what it may", &[("scope", "notes:read:blue queue:ping")], 400, "invalid_scope"),
    ("a broken escape", &[("scope", "notes:read:%zz")], 400, "invalid_scope"),
    ("a grant of somebody else", &[("scope", "assume:grant:AAAAAAAAAAAAAAAAAAAAAA")], 400, "invalid_scope"),
    ("who the person is", &[("scope", "openid")], 400, "invalid_scope"),
    ("a time that is none", &[("expires", "soon")], 400, "invalid_request"),
    ("no time", &[("expires", "0 seconds")], 400, "invalid_request"),
    ("a time that has passed", &[("expires", "-1 hour")], 400, "invalid_request"),
    ("another service's token", &[("subject_token", "{for-a-service}")], 400, "invalid_request"),
];

#[tokio::test]
async fn what_can_not_be_asked_for_is_refused_before_anybody_is_asked() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let narrow = with(authorization_fields(), &[("scope", "notes:read:red"), ("resource", "https://notes.example.com")]);
    let for_a_service = site.token(&exchange(&ann.code(&narrow).await)).await.json()["access_token"].as_str().unwrap().to_owned();
    let long = "x".repeat(201);
    for (what, changes, status, word) in REQUESTS {
        let changed = changes.iter().map(|(name, value)| match *value {
            "{long}" => (*name, long.as_str()),
            "{for-a-service}" => (*name, for_a_service.as_str()),
            value => (*name, value),
        });
        let answer = site.asks_for_more(&token, &changed.collect::<Vec<_>>()).await;
        assert_eq!(answer.oauth_error(), (status, word.to_owned()), "{what}: {}", answer.text);
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

/// Story: a form of the page that was opened before and pressed after another one took back what that one had given.
#[tokio::test]
async fn another_form_after_the_answer_changes_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let waiting = site.waiting(&token, &[]).await;
    let (first, second) = (ann.get(page_of(&waiting)).await.form(PAGE), ann.get(page_of(&waiting)).await.form(PAGE));
    let first = with(first, &[("visible_ms", "2000")]);
    assert_eq!(ann.post(PAGE, &first).await.location(), "/me/grants?done=widened");
    let living = site.living().await;
    for (what, form) in [
        ("another form", with(second, &[("visible_ms", "2000")])),
        ("the same with another name", with(first.clone(), &[("grant_name", "Another")])),
        ("the same with less time", with(first.clone(), &[("lifetime", "3600000")])),
    ] {
        let answer = ann.post(PAGE, &form).await;
        assert!(answer.status == StatusCode::GONE && answer.text.contains("answered already"), "{what}: {}", answer.text);
        assert_eq!(site.living().await, living, "{what}");
    }
    assert_eq!(ann.post(PAGE, &with(first.clone(), &[("cancel", "yes")])).await.status, StatusCode::NOT_FOUND, "nor is it refused now");
    assert_eq!(ann.post(PAGE, &first).await.location(), "/me/grants?done=widened", "the same press is the same answer");
    assert_eq!(site.comes_for(&waiting).await.status, StatusCode::OK);
}

/// What the application may ask for was cut after it asked, as if an administrator had done so.
#[tokio::test]
async fn what_an_application_may_not_ask_for_any_more_is_not_offered() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let waiting = site.waiting(&token, &[]).await;
    let id = page_of(&waiting).split_once("id=").unwrap().1;
    let mut record = site.store.device_request_of_person(id).await.unwrap().unwrap();
    record.scopes.push("queue:ping".to_owned());
    (record.device_hash, record.user_hash) = ("before".to_owned(), "AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    site.store.insert_device_request(&record).await.unwrap();
    let shown = ann.get(&format!("{PAGE}?id=AAAAAAAAAAAAAAAAAAAAAA")).await;
    assert!(shown.text.contains("notes:write:mine") && !shown.text.contains("queue:ping"), "{}", shown.text);
}

#[tokio::test]
async fn a_reason_is_text_wherever_it_stands() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let reason = "[Log in](https://evil.example/) **now** https://evil.example/ <a href=//evil.example>x</a> \u{5e9}\u{5dc}\u{5d5}\u{5dd}";
    let waiting = site.waiting(&token, &[("reason", reason)]).await;
    let shown = "<q>[Log in](https://evil.example/) **now** https://evil.example/ &#60;a href=//evil.example&#62;x&#60;/a&#62; \u{5e9}\u{5dc}\u{5d5}\u{5dd}</q>";
    ann.answers(page_of(&waiting), &[]).await.location();
    let another = site.waiting(&token, &[("reason", reason)]).await;
    for page in ["/me/grants", page_of(&another), "/"] {
        let page = ann.get(page).await;
        assert!(page.text.contains(shown), "{}", page.text);
        assert!(!page.text.contains("href=\"https://evil") && !page.text.contains("<a href=//"), "{}", page.text);
    }
    assert!(site.mails.0.lock().unwrap().iter().all(|mail| !mail.contains("evil")));
}

/// However many ask, and with however many parts of a grant.
#[tokio::test]
async fn nobody_is_mailed_more_than_they_read() {
    let site = site().await;
    let mut ann = site.ann().await;
    for _ in 0..3 {
        let token = site.small_token(&mut ann).await;
        for _ in 0..3 {
            site.waiting(&token, &[]).await;
        }
    }
    let about = |mails: &[String]| mails.iter().filter(|mail| mail.contains(PAGE)).count();
    assert!(ann.get("/").await.text.contains("Asks for more (9)"), "they are on the page");
    assert_eq!(about(&site.mails.0.lock().unwrap()), 5);
    site.wait_ms(30 * MINUTE_MS);
    let token = site.small_token(&mut ann).await;
    site.waiting(&token, &[]).await;
    assert!(ann.get("/").await.text.contains("Asks for more (1)"));
    assert_eq!(about(&site.mails.0.lock().unwrap()), 6);
}

/// Records of grants said for which application they were from one version on. With the credentials of one from before, more could be asked for than the application is
/// registered for.
#[tokio::test]
async fn a_grant_whose_record_names_no_application_gets_no_more_than_its_application_may() {
    let site = site().await;
    let mut ann = site.ann().await;
    site.small_token(&mut ann).await;
    let named = site.living().await.remove(0);
    assert_eq!(named.application.as_deref(), Some("page"));
    let id = "AAAAAAAAAAAAAAAAAAAAAA";
    let client_id = format!("{}{id}", named.client_id.strip_suffix(&named.id).unwrap());
    let before = GrantRecord { id: id.to_owned(), client_id, nonce: "before".to_owned(), application: None, ..named };
    let token = crate::derived::elsewhere(&site, &before).await;
    let credentials = site.credentials(&token).await.json()["credentials"].clone();
    let asks = async |credentials: &Value, scope: &str| {
        let asked = json!({"scopes": [scope], "reason": REASON});
        site.by_hawk(credentials, "/api/falconer/v1/grant-requests", &asked).await.status.as_u16()
    };
    assert_eq!(asks(&credentials, "queue:ping").await, 400, "the application is not registered for it");
    assert_eq!(asks(&credentials, "notes:write:mine").await, 200);
    // What was derived from it names none either.
    let derived = site.by_hawk(&credentials, "/api/falconer/v1/derived-grants", &json!({"scopes": ["notes:read:red"]})).await.json();
    assert_eq!(asks(&derived["credentials"], "queue:ping").await, 400);
}
