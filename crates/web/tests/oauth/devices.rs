//! Devices that show a short code: the flow, and as a table what is refused.

mod bounds;

use std::sync::atomic::Ordering;

use crate::site::applications::{Fields, SECRET, fields};
use crate::site::headers::assert_page_headers;
use crate::site::{Browser, Page, Site, site, with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use falconer_store::Store as _;
use http::StatusCode;
use serde_json::Value;

const DECISION: &str = "/device/decision";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Parameters that are another than in a good request; an empty one is left out.
pub type Changes = &'static [(&'static str, &'static str)];

impl Site {
    async fn asks(&self, authorization_fields: &Fields) -> Page {
        self.application("/login/oauth/device_authorization", authorization_fields, None).await
    }

    async fn codes(&self) -> Value {
        let answer = self.asks(&tv()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    async fn polls(&self, codes: &Value) -> Page {
        self.token(&poll(codes)).await
    }

    fn later(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Browser<'_> {
    /// Types the code, as far as the grant page.
    async fn types(&mut self, code: &str) -> Page {
        let page = self.get("/device").await;
        self.post("/device", &with(page.form("/device"), &[("user_code", code)])).await
    }

    async fn grants(&mut self, code: &str) -> Page {
        let page = self.types(code).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        self.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000")])).await
    }
}

fn tv() -> Fields {
    fields(&[("client_id", "tv"), ("scope", "notes:read:* notes:write:mine")])
}

fn poll(codes: &Value) -> Fields {
    fields(&[("grant_type", GRANT_TYPE), ("client_id", "tv"), ("device_code", codes["device_code"].as_str().unwrap())])
}

fn code(codes: &Value) -> &str {
    codes["user_code"].as_str().unwrap()
}

fn error(status: u16, word: &str) -> (u16, String) {
    (status, word.to_owned())
}

/// Story: lists, the mail and the page of a request for more said `device://tv`, as if it were an address.
#[tokio::test]
async fn a_device_is_named_in_words_wherever_its_grant_is_seen() {
    let site = site().await;
    let mut ann = site.ann().await;
    let codes = site.codes().await;
    let page = ann.types(code(&codes)).await;
    assert!(page.text.contains("<title>Grant access to The &#60;tv&#62; application on a device"), "{}", page.text);
    // Where no script runs there is a page more, which had the id of the application.
    let news = ann.post(DECISION, &page.form(DECISION)).await;
    assert!(news.text.contains("The &#60;tv&#62; application on a device"), "{}", news.text);
    assert!(!news.text.contains("<span class=\"host\">tv</span>"), "{}", news.text);
    ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000"), ("grant_name", "Living room")])).await;
    let mail = site.mails.0.lock().unwrap().last().unwrap().clone();
    assert!(mail.contains("The <tv> application on a device") && !mail.contains("device://"), "{mail}");

    let token = site.polls(&codes).await.json()["access_token"].as_str().unwrap().to_owned();
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let more = [("client_id", "tv"), ("subject_token", &token), ("subject_token_type", kind), ("expires", "3 days"), ("reason", "Why not")];
    let waiting = site.application("/login/oauth/grant_request", &fields(&more), None).await;
    let mail = site.mails.0.lock().unwrap().last().unwrap().clone();
    assert!(mail.contains("The <tv> application on a device") && !mail.contains("device://"), "{mail}");

    let shown = |page: &Page| page.text.replace("value=\"device://tv\"", "");
    let request = waiting.json()["verification_uri"].as_str().unwrap().strip_prefix("https://auth.example.com").unwrap().to_owned();
    let is_named =
        |text: &str| text.contains("The &#60;tv&#62; application") && text.contains("on a device") && !text.contains("device://");
    for path in ["/", "/me/grants", &request] {
        let text = shown(&ann.get(path).await);
        assert!(is_named(&text), "{path}: {text}");
    }
    assert!(ann.get("/me/grants").await.text.contains("<b>Living room</b>"));
    let mut admin = site.somebody("admin", &["auth:list-grants", "auth:get-person:*"]).await;
    // The page of a person had the id of the application in place of its name.
    for path in ["/auth/grants", "/auth/people?id=local%2Fann"] {
        let text = shown(&admin.get(path).await);
        assert!(is_named(&text), "{path}: {text}");
    }
}

#[tokio::test]
async fn a_device_gets_what_a_person_grants_elsewhere() {
    let site = site().await;
    let codes = site.codes().await;
    assert_eq!((codes["expires_in"].as_i64(), codes["interval"].as_i64()), (Some(600), Some(5)));
    assert_eq!(codes["verification_uri"], "https://auth.example.com/device");
    assert_eq!(codes["verification_uri_complete"], format!("https://auth.example.com/device?user_code={}", code(&codes)));
    assert_eq!(code(&codes).len(), 9);
    assert_eq!(site.polls(&codes).await.oauth_error(), error(400, "authorization_pending"));

    // The link leads to a sign-in, and then to the page with the code in it; nothing is shown of the device before somebody presses.
    let mut browser = site.browser();
    let first = browser.get(&format!("/device?user_code={}", code(&codes))).await;
    let login = first.location().to_owned();
    assert!(login.starts_with("/login?next=%2Fdevice%3Fuser_code%3D"), "{login}");
    let back = browser.sign_in(&login).await;
    let page = browser.get(back.location()).await;
    assert_page_headers(&page, "'self'");
    assert!(page.text.contains(&format!("value=\"{}\"", code(&codes))) && !page.text.contains("The &#60;tv&#62;"), "{}", page.text);
    let page = browser.post("/device", &page.form("/device")).await;
    assert_page_headers(&page, "'self' https:");
    for part in [
        code(&codes),
        "The &#60;tv&#62; application",
        "from the address",
        "1 August 2026, 12:00 UTC",
        "notes:read:*",
        "registered by the administrator",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    let form = with(page.form(DECISION), &[("visible_ms", "2000")]);
    assert_eq!(browser.post(DECISION, &form).await.location(), "/device/done");
    assert_eq!(browser.post(DECISION, &form).await.location(), "/device/done", "pressed twice");
    assert!(browser.get("/device/done").await.text.contains("Go on at the device"));

    let answer = site.polls(&codes).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"), "{}", answer.text);
    let token = answer.json();
    assert_eq!((token["token_type"].as_str(), token["scope"].as_str()), (Some("Bearer"), Some("notes:read:* notes:write:mine")));
    let token = token["access_token"].as_str().unwrap();
    let credentials = site.credentials(token).await;
    assert!(credentials.json()["credentials"]["clientId"].as_str().unwrap().starts_with("local/ann/tv/"), "{}", credentials.text);
    assert_eq!(browser.post(DECISION, &form).await.location(), "/device/done", "the same form says the same");
    assert!(browser.types(code(&codes)).await.text.contains("No device waits for this code"), "but nobody else can go on with the code");

    let me = browser.get("/").await;
    assert!(me.text.contains("1 active grant<") && me.text.contains("The &#60;tv&#62; application"), "{}", me.text);
    browser.post("/me/revoke", &me.form("/me/revoke")).await;
    assert_eq!(site.credentials(token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn of_64_polls_with_one_device_code_one_succeeds() {
    let site = site().await;
    let mut ann = site.ann().await;
    let codes = site.codes().await;
    ann.grants(code(&codes)).await;
    let answers = futures_util::future::join_all((0..64).map(|_| site.polls(&codes))).await;
    let given: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(given.len(), 1);
    assert!(answers.iter().filter(|answer| answer.status != StatusCode::OK).all(|answer| answer.oauth_error().1 == "invalid_grant"));
    let token = given[0].json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(site.credentials(&token).await.status, StatusCode::UNAUTHORIZED, "the others were uses too");
    assert!(!ann.get("/").await.text.contains("1 active grant<"));
}

#[tokio::test]
async fn cancel_is_told_to_the_device() {
    let site = site().await;
    let mut ann = site.ann().await;
    let codes = site.codes().await;
    let page = ann.types(code(&codes)).await;
    let form = page.form(DECISION);
    let cancelled = ann.post(DECISION, &with(form.clone(), &[("cancel", "yes")])).await;
    assert!(cancelled.status == StatusCode::OK && cancelled.text.contains("Nothing was granted"), "{}", cancelled.text);
    assert_eq!(site.polls(&codes).await.oauth_error(), error(400, "access_denied"));
    let late = ann.post(DECISION, &with(form, &[("visible_ms", "2000")])).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!ann.get("/").await.text.contains("1 active grant<"));
}

#[tokio::test]
async fn who_polls_too_often_is_told_to_slow_down() {
    let site = site().await;
    let codes = site.codes().await;
    // Milliseconds after the poll before, and what is said then.
    let polls = [
        (0, "authorization_pending"),
        (5_000, "authorization_pending"),
        (4_999, "slow_down"),
        (1, "slow_down"),
        (10_000, "authorization_pending"),
        (14_999, "slow_down"),
        (5_001, "authorization_pending"),
    ];
    for (number, (wait_ms, said)) in polls.into_iter().enumerate() {
        site.later(wait_ms);
        assert_eq!(site.polls(&codes).await.oauth_error(), error(400, said), "poll {number}");
    }
    for _ in 0..20 {
        assert_eq!(site.polls(&codes).await.oauth_error(), error(400, "slow_down"));
    }
    site.later(60_000);
    assert_eq!(site.polls(&codes).await.oauth_error(), error(400, "authorization_pending"), "a minute is always enough");
}

#[tokio::test]
async fn codes_end_after_ten_minutes() {
    let site = site().await;
    let mut ann = site.ann().await;
    let (unanswered, granted, shown) = (site.codes().await, site.codes().await, site.codes().await);
    ann.grants(code(&granted)).await;
    let page = ann.types(code(&shown)).await;
    site.later(600_000);
    assert_eq!(site.polls(&unanswered).await.oauth_error(), error(400, "expired_token"));
    assert!(ann.types(code(&unanswered)).await.text.contains("No device waits for this code"));
    let late = ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000")])).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", late.text);
    // Whoever was granted something and did not come for it has nothing, and neither has anybody else.
    assert!(ann.get("/").await.text.contains("1 active grant<"));
    assert_eq!(site.polls(&granted).await.oauth_error(), error(400, "expired_token"));
    assert!(!ann.get("/").await.text.contains("1 active grant<"));
}

#[tokio::test]
async fn one_person_answers() {
    let site = site().await;
    let (mut ann, mut bob) = (site.ann().await, site.somebody("bob", &["notes:*"]).await);
    let codes = site.codes().await;
    let (hers, his) = (ann.types(code(&codes)).await, bob.types(code(&codes)).await);
    assert_eq!(bob.post(DECISION, &with(his.form(DECISION), &[("visible_ms", "2000")])).await.location(), "/device/done");
    let late = ann.post(DECISION, &with(hers.form(DECISION), &[("visible_ms", "2000")])).await;
    assert!(late.status == StatusCode::GONE && late.text.contains("The device waits no more"), "{}", late.text);
    assert!(!ann.get("/").await.text.contains("1 active grant<"), "what was made for nobody has ended");
    let token = site.polls(&codes).await.json()["access_token"].as_str().unwrap().to_owned();
    assert!(site.credentials(&token).await.text.contains("local/bob/tv/"));
}

#[tokio::test]
async fn what_is_taken_back_before_the_device_comes_is_not_given() {
    let site = site().await;
    let mut ann = site.ann().await;
    let codes = site.codes().await;
    ann.grants(code(&codes)).await;
    let me = ann.get("/").await;
    ann.post("/me/revoke", &me.form("/me/revoke")).await;
    assert_eq!(site.polls(&codes).await.oauth_error(), error(400, "access_denied"));
}

/// A used code that came once more for a service that is none was refused for that, and ended nothing.
#[tokio::test]
async fn a_used_device_code_ends_its_grant_whatever_comes_with_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    let codes = site.codes().await;
    ann.grants(code(&codes)).await;
    let token = site.polls(&codes).await.json()["access_token"].as_str().unwrap().to_owned();
    let mut once_more = poll(&codes);
    once_more.extend(fields(&[("resource", "no address")]));
    assert_eq!(site.token(&once_more).await.oauth_error(), error(400, "invalid_grant"));
    assert_eq!(site.credentials(&token).await.status, StatusCode::UNAUTHORIZED);
}

/// Requests for codes that are refused.
pub const REQUESTS: [(&str, Changes, u16, &str); 13] = [
    ("no client", &[("client_id", "")], 401, "invalid_client"),
    ("a client that nobody registered", &[("client_id", "zzz")], 401, "invalid_client"),
    ("a client in other letters", &[("client_id", "TV")], 401, "invalid_client"),
    ("a client that is not for devices", &[("client_id", "page")], 400, "unauthorized_client"),
    ("a client of the reference", &[("client_id", "old-code")], 400, "unauthorized_client"),
    ("a confidential client without its secret", &[("client_id", "box")], 401, "invalid_client"),
    ("a confidential client with a wrong secret", &[("client_id", "box"), ("client_secret", "x")], 401, "invalid_client"),
    ("a public client with a secret", &[("client_secret", "x")], 401, "invalid_client"),
    ("a scope beyond", &[("scope", "queue:ping")], 400, "invalid_scope"),
    ("a scope beyond among others", &[("scope", "notes:read:* queue:ping")], 400, "invalid_scope"),
    ("everything", &[("scope", "*")], 400, "invalid_scope"),
    ("a grant of somebody else", &[("scope", "assume:grant:x")], 400, "invalid_scope"),
    ("a broken escape", &[("scope", "notes:read:%zz")], 400, "invalid_scope"),
];

/// Polls that are refused although somebody has granted something; none of them is a use.
pub const POLLS: [(&str, Changes, u16, &str); 10] = [
    ("no code", &[("device_code", "")], 400, "invalid_request"),
    ("a code that nobody has", &[("device_code", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")], 400, "invalid_grant"),
    ("no client", &[("client_id", "")], 401, "invalid_client"),
    ("a client that nobody registered", &[("client_id", "zzz")], 401, "invalid_client"),
    ("a client that is not for devices", &[("client_id", "page")], 400, "unauthorized_client"),
    ("a confidential client without its secret", &[("client_id", "box")], 401, "invalid_client"),
    ("another client for devices", &[("client_id", "box"), ("client_secret", SECRET)], 400, "invalid_grant"),
    ("another grant type", &[("grant_type", "authorization_code")], 400, "invalid_request"),
    ("a short name of the grant type", &[("grant_type", "device_code")], 400, "unsupported_grant_type"),
    ("no grant type", &[("grant_type", "")], 400, "unsupported_grant_type"),
];

fn changed(fields: Fields, changes: Changes) -> Fields {
    with(fields, changes).into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

#[tokio::test]
async fn what_is_wrong_in_one_way_gives_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    for (name, changes, status, word) in REQUESTS {
        assert_eq!(site.asks(&changed(tv(), changes)).await.oauth_error(), error(status, word), "{name}");
    }
    let codes = site.codes().await;
    ann.grants(code(&codes)).await;
    for (name, changes, status, word) in POLLS {
        assert_eq!(site.token(&changed(poll(&codes), changes)).await.oauth_error(), error(status, word), "{name}");
    }
    let with_user_code = fields(&[("grant_type", GRANT_TYPE), ("client_id", "tv"), ("device_code", code(&codes))]);
    assert_eq!(site.token(&with_user_code).await.oauth_error(), error(400, "invalid_grant"), "the person's code is not the device's");
    let twice: Fields = poll(&codes).into_iter().chain(fields(&[("device_code", "x")])).collect();
    assert_eq!(site.token(&twice).await.oauth_error(), error(400, "invalid_request"), "two codes");
    assert_eq!(site.polls(&codes).await.status, StatusCode::OK, "the code was left as it is");
}

#[tokio::test]
async fn a_confidential_application_on_a_device_proves_itself() {
    let site = site().await;
    let mut ann = site.ann().await;
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = format!("Basic {}", STANDARD.encode(format!("box:{encoded}")));
    let codes = site.application("/login/oauth/device_authorization", &fields(&[]), Some(&basic)).await.json();
    let page = ann.types(code(&codes)).await;
    assert!(page.text.contains("notes:write:mine"), "without a scope it asks for all that it may: {}", page.text);
    ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000")])).await;
    let poll = changed(poll(&codes), &[("client_id", "")]);
    let answer = site.application("/login/oauth/token", &poll, Some(&basic)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn codes_are_read_however_they_are_typed_and_nobody_guesses_for_long() {
    let site = site().await;
    let mut ann = site.ann().await;
    let codes = site.codes().await;
    for typed in [code(&codes).to_lowercase(), code(&codes).replace('-', " "), format!(" {} ", code(&codes).replace('-', ""))] {
        assert!(ann.types(&typed).await.text.contains("A device shows this code"), "{typed}");
    }
    for wrong in ["", "BCDF", "BCDF-GHJKL", "AEIO-UAEI", "0123-4567", "<script>"] {
        let page = ann.types(wrong).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(!page.text.contains("<script>"), "{}", page.text);
    }
    let mut tried = 3;
    while ann.types("BBBB-BBBB").await.status == StatusCode::UNPROCESSABLE_ENTITY {
        tried += 1;
    }
    assert_eq!(tried, 30, "as often as one person may");
    let refused = ann.types(code(&codes)).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "900"), "the right one too");
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    assert!(bob.types(code(&codes)).await.text.contains("A device shows this code"), "others are not kept from theirs");
    site.later(15 * 60_000);
    let codes = site.codes().await;
    assert!(ann.types(code(&codes)).await.text.contains("A device shows this code"));
}

/// Story: with a resource whose tokens are signed, each poll said `invalid_grant`, "Invalid authorization code", and the code went on.
#[tokio::test]
async fn what_was_taken_back_is_denied_whatever_the_token_was_to_be_for() {
    let site = site().await;
    let mut ann = site.ann().await;
    for resource in ["", crate::site::applications::OFFLINE, "https://notes.example.com/"] {
        let codes = site.codes().await;
        ann.grants(code(&codes)).await;
        let list = ann.get("/me/grants").await;
        let id = site.store.grants_of("local/ann").await.unwrap()[0].id.clone();
        ann.post("/me/grants/revoke", &with(list.form("/me/grants/revoke"), &[("grant", &id)])).await;
        let mut request = poll(&codes);
        if !resource.is_empty() {
            request.push(("resource".to_owned(), resource.to_owned()));
        }
        assert_eq!(site.token(&request).await.oauth_error(), error(400, "access_denied"), "{resource}");
        site.later(60_000);
    }
}
