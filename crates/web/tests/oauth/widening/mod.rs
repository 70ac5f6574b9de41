//! More than a grant gives: whoever has it asks with a reason, its person answers on a page, and it comes for another grant.

pub mod refused;

use std::sync::atomic::Ordering;

use crate::site::applications::{Fields, authorization_fields, exchange, fields};
use crate::site::headers::assert_page_headers;
use crate::site::{Browser, Page, Site, TARGET, request_for, site, with};
use falconer_store::{GrantRecord, Store};
use http::StatusCode;
use serde_json::{Value, json};

const ASK: &str = "/login/oauth/grant_request";
pub const PAGE: &str = "/me/grants/request";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const REASON: &str = "The minutes of <today> & more";
const MINUTE_MS: i64 = 60_000;

impl Site {
    /// A token of `page` for `notes:read:red`.
    async fn small_token(&self, browser: &mut Browser<'_>) -> String {
        let code = browser.code(&with(authorization_fields(), &[("scope", "notes:read:red")])).await;
        self.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Credentials of a grant for `notes:read:red`, of the application and of a site.
    async fn small_credentials(&self, browser: &mut Browser<'_>) -> Value {
        let token = self.small_token(browser).await;
        self.credentials(&token).await.json()["credentials"].clone()
    }

    async fn asks_for_more(&self, token: &str, changes: &[(&str, &str)]) -> Page {
        let whole = fields(&[
            ("subject_token", token),
            ("subject_token_type", ACCESS),
            ("client_id", "page"),
            ("scope", "notes:write:mine"),
            ("reason", REASON),
        ]);
        self.application(ASK, &with(whole, changes), None).await
    }

    async fn waiting(&self, token: &str, changes: &[(&str, &str)]) -> Value {
        let answer = self.asks_for_more(token, changes).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    async fn comes_for(&self, waiting: &Value) -> Page {
        let code = waiting["device_code"].as_str().unwrap();
        self.token(&fields(&[("grant_type", DEVICE_CODE), ("client_id", "page"), ("device_code", code)])).await
    }

    fn wait_ms(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// The grants that count, as the store has them.
    async fn living(&self) -> Vec<GrantRecord> {
        let now_ms = self.clock.0.load(Ordering::SeqCst);
        let all = self.store.load().await.unwrap().grants;
        all.into_iter().filter(|grant| grant.revoked_ms.is_none() && grant.expires_ms > now_ms).collect()
    }
}

impl Browser<'_> {
    pub async fn answers(&mut self, page: &str, changes: &[(&str, &str)]) -> Page {
        let shown = self.get(page).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
        self.post(PAGE, &with(with(shown.form(PAGE), &[("visible_ms", "2000")]), changes)).await
    }
}

/// Somebody has a grant of whoever sits here, and asks for more: the page on which that is answered.
pub async fn request_for_more(site: &Site, browser: &mut Browser<'_>) -> String {
    let token = site.small_token(browser).await;
    page_of(&site.waiting(&token, &[]).await).to_owned()
}

pub fn page_of(waiting: &Value) -> &str {
    let name = if waiting["page"].is_string() { "page" } else { "verification_uri" };
    waiting[name].as_str().unwrap().strip_prefix("https://auth.example.com").unwrap()
}

fn error(word: &str) -> (u16, String) {
    (400, word.to_owned())
}

fn ids(grants: &[GrantRecord]) -> Vec<&str> {
    grants.iter().map(|grant| grant.id.as_str()).collect()
}

#[tokio::test]
async fn whoever_has_a_token_asks_its_person_and_gets_another_grant() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let [first] = site.living().await.try_into().unwrap();
    let waiting = site.waiting(&token, &[]).await;
    assert_eq!((waiting["interval"].as_i64(), waiting["expires_in"].as_i64()), (Some(5), Some(1800)), "{waiting}");
    assert_eq!(site.comes_for(&waiting).await.oauth_error(), error("authorization_pending"));
    assert_eq!(site.comes_for(&waiting).await.oauth_error(), error("slow_down"));

    // It is in the mail without what strangers say, on both lists, and behind a sign-in.
    let mail = site.mails.0.lock().unwrap().last().unwrap().clone();
    assert!(mail.contains(page_of(&waiting)) && mail.contains("https://app.example") && !mail.contains("minutes"), "{mail}");
    assert!(ann.get("/").await.text.contains("Asks for more (1)"));
    let list = ann.get("/me/grants").await;
    assert!(list.text.contains("asks for 1 scope more: <q>The minutes of &#60;today&#62; &#38; more</q>"), "{}", list.text);
    let mut later = site.browser();
    let login = later.get(page_of(&waiting)).await.location().to_owned();
    assert!(login.starts_with("/login?next=%2Fme%2Fgrants%2Frequest%3Fid%3D"), "{login}");
    let back = later.sign_in(&login).await;
    assert_eq!(back.location(), page_of(&waiting));

    let shown = ann.get(page_of(&waiting)).await;
    assert_page_headers(&shown, "'self' https:");
    for part in [
        "The &#60;page&#62; application",
        "more?",
        "<q>The minutes of &#60;today&#62; &#38; more</q>",
        "What it has now: 1 scope",
        "notes:read:red",
        "notes:write:mine",
        "Refuse",
    ] {
        assert!(shown.text.contains(part), "{part} in {}", shown.text);
    }
    let answer = ann.answers(page_of(&waiting), &[]).await;
    assert_eq!(answer.location(), "/me/grants?done=widened");

    // Another grant, with what the one before has; that one is as it was.
    let given = site.comes_for(&waiting).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text);
    assert_eq!(given.json()["scope"], "notes:read:red notes:write:mine");
    assert!(given.json()["refresh_token"].is_string(), "it is a grant like any other");
    let living = site.living().await;
    assert!(living.contains(&first), "nothing of the one before has changed: {living:?}");
    let more = living.iter().find(|grant| grant.id != first.id).unwrap();
    assert_eq!((more.widens.as_ref(), more.parent.as_ref(), more.purpose.as_deref()), (Some(&first.id), None, Some(REASON)));
    assert_eq!((&more.target, &more.target_origin, &more.application), (&first.target, &first.target_origin, &first.application));
    assert_ne!((&more.seed, &more.client_id), (&first.seed, &first.client_id));
    let introspected = site.credentials(&token).await.json()["credentials"]["clientId"].clone();
    assert_eq!(introspected, first.client_id, "the old token is of the old grant");
    let list = ann.get("/me/grants").await;
    assert!(
        list.text.contains("for: <q>The minutes of &#60;today&#62; &#38; more</q>") && !list.text.contains("Asks for more"),
        "{}",
        list.text
    );

    // Whoever has the first one for a thief ends what it got too.
    let form = list.form("/me/grants/revoke");
    ann.post("/me/grants/revoke", &with(form, &[("grant", &first.id)])).await;
    assert!(site.living().await.is_empty());
    let token = given.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(site.credentials(&token).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_has_credentials_asks_and_comes_with_them() {
    let site = site().await;
    let mut ann = site.ann().await;
    let credentials = site.small_credentials(&mut ann).await;
    let asked = json!({"scopes": ["notes:write:mine", "notes:read:red"], "reason": REASON});
    let answer = site.by_hawk(&credentials, "/api/falconer/v1/grant-requests", &asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let waiting = answer.json();
    let code = json!({"code": waiting["code"]});
    let collect = async |credentials: &Value| {
        let answer = site.by_hawk(credentials, "/api/falconer/v1/grant-requests/collect", &code).await;
        (answer.status.as_u16(), answer.json())
    };
    assert_eq!(collect(&credentials).await, (200, json!({"state": "pending"})));
    assert_eq!(collect(&credentials).await, (200, json!({"state": "slow-down"})));
    // The code is of this grant: with those of another one it is nothing.
    let others = site.small_credentials(&mut ann).await;
    assert_eq!(collect(&others).await.0, 404);
    assert_eq!(ann.answers(page_of(&waiting), &[("grant_name", "More")]).await.location(), "/me/grants?done=widened");
    let (status, given) = collect(&credentials).await;
    assert_eq!((status, &given["state"], &given["scopes"]), (200, &json!("granted"), &json!(["notes:read:red", "notes:write:mine"])));
    let more = given["credentials"].clone();
    assert_ne!(more["accessToken"], credentials["accessToken"]);
    let derive = |credentials: Value| {
        let site = &site;
        async move {
            let part = json!({"scopes": ["notes:write:mine"]});
            site.by_hawk(&credentials, "/api/falconer/v1/derived-grants", &part).await.status.as_u16()
        }
    };
    assert_eq!((derive(more.clone()).await, derive(credentials.clone()).await), (200, 403), "the old credentials are worth what they were");

    // Somebody else who has the code and the credentials shows up: nobody has it then.
    assert_eq!(collect(&credentials).await.0, 404);
    assert_eq!(derive(more).await, 401);
    assert_eq!(site.living().await.len(), 2, "the two that asked");
}

#[tokio::test]
async fn of_64_answers_at_once_one_is_the_answer() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let waiting = site.waiting(&token, &[]).await;
    let mut forms: Vec<Fields> = Vec::new();
    for at in 0..64 {
        let form = ann.get(page_of(&waiting)).await.form(PAGE);
        let refuse: &[(&str, &str)] = if at % 8 == 7 { &[("cancel", "yes")] } else { &[("visible_ms", "2000")] };
        forms.push(with(form, refuse));
    }
    site.wait_ms(2_000);
    let press = |form: Fields| {
        let mut browser = site.browser();
        browser.cookies.clone_from(&ann.cookies);
        async move { browser.post_at_once(PAGE, &form).await }
    };
    let answers = futures_util::future::join_all(forms.into_iter().map(press)).await;
    let took: Vec<&Page> = answers.iter().filter(|answer| answer.status.is_redirection()).collect();
    assert_eq!(took.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    let living = site.living().await.len();
    if took[0].location() == "/me/grants?done=widened" {
        assert_eq!(living, 2);
        assert_eq!(site.comes_for(&waiting).await.status, StatusCode::OK);
    } else {
        assert_eq!(living, 1);
        assert_eq!(site.comes_for(&waiting).await.oauth_error(), error("access_denied"));
    }
}

#[tokio::test]
async fn of_64_who_come_for_it_one_gets_it_and_the_others_end_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let waiting = site.waiting(&token, &[]).await;
    ann.answers(page_of(&waiting), &[]).await;
    let answers = futures_util::future::join_all((0..64).map(|_| site.comes_for(&waiting))).await;
    let given: Vec<&Page> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(given.len(), 1);
    let token = given[0].json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(site.credentials(&token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.living().await.len(), 1);
}

#[tokio::test]
async fn a_site_that_nobody_registered_asks_for_more_time_alone() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for(TARGET, "&scope=notes:read:red&identity=true")).await;
    let form = with(page.form("/grant"), &[("visible_ms", "2000"), ("typed_host", "notes.example.com"), ("lifetime", "3600000")]);
    let location = ann.post("/grant", &form).await.location().to_owned();
    let part = |name: &str| crate::site::applications::parameter(&location, name).unwrap();
    let credentials = json!({"clientId": part("clientId"), "accessToken": part("accessToken"), "certificate": part("certificate")});
    let expires = falconer_wire::date_time::format_ms(site.clock.0.load(Ordering::SeqCst) + 5 * 60 * MINUTE_MS);
    let asked = json!({"reason": "It takes until tonight", "expires": expires});
    let answer = site.by_hawk(&credentials, "/api/falconer/v1/grant-requests", &asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let waiting = answer.json();
    let shown = ann.get(page_of(&waiting)).await;
    assert!(shown.text.contains("No other scopes, only more time.") && shown.text.contains(">5 hours<"), "{}", shown.text);
    assert!(!shown.text.contains("typed_host"), "the person knows it by now");
    ann.answers(page_of(&waiting), &[]).await;
    let code = json!({"code": waiting["code"]});
    let given = site.by_hawk(&credentials, "/api/falconer/v1/grant-requests/collect", &code).await.json();
    assert_eq!((&given["state"], &given["scopes"]), (&json!("granted"), &json!(["notes:read:red"])), "{given}");
    let living = site.living().await;
    let [first, more] = living.as_slice() else { panic!("{living:?}") };
    let (first, more) = if more.widens.is_some() { (first, more) } else { (more, first) };
    assert!(more.expires_ms > first.expires_ms + 3 * 60 * MINUTE_MS);
    assert_eq!(more.identity_for, ["https://notes.example.com"], "whoever knew the person goes on to");
    // It outlives the first one, and is its own then.
    site.wait_ms(2 * 60 * MINUTE_MS);
    assert_eq!(ids(&site.living().await), [more.id.as_str()]);
    let derived = site.by_hawk(&given["credentials"], "/api/falconer/v1/derived-grants", &json!({"scopes": ["notes:read:red"]})).await;
    assert_eq!(derived.status, StatusCode::OK, "{}", derived.text);
}

#[tokio::test]
async fn what_is_broad_is_given_by_somebody_who_has_just_signed_in() {
    let site = site().await;
    let mut ann = site.ann().await;
    let credentials = site.small_credentials(&mut ann).await;
    site.wait_ms(60 * MINUTE_MS);
    let asked = json!({"scopes": ["auth:create-role:mine"], "reason": "A role for the minutes"});
    let waiting = site.by_hawk(&credentials, "/api/falconer/v1/grant-requests", &asked).await.json();
    let shown = ann.get(page_of(&waiting)).await;
    assert!(shown.text.contains("Broad"), "{}", shown.text);
    let answer = ann.answers(page_of(&waiting), &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "sign in once more");
    assert_eq!(site.living().await.len(), 1);
    let again = with(answer.form("/me/again"), &[("password", crate::site::PASSWORD)]);
    let go_on = ann.post("/me/again", &again).await;
    let answer = ann.post(PAGE, &with(go_on.form(PAGE), &[("visible_ms", "2000")])).await;
    assert_eq!(answer.location(), "/me/grants?done=widened", "{}", answer.text);
    assert_eq!(site.living().await.len(), 2);
}

#[tokio::test]
async fn a_derived_grant_asks_the_person_and_gets_one_of_its_own() {
    let site = site().await;
    let mut ann = site.ann().await;
    let code = ann.code(&with(authorization_fields(), &[("scope", "notes:read:*")])).await;
    let whole = site.token(&exchange(&code)).await.json()["access_token"].as_str().unwrap().to_owned();
    let part = fields(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &whole),
        ("subject_token_type", ACCESS),
        ("client_id", "page"),
        ("scope", "notes:read:red"),
        ("purpose", "Sum up <red>"),
    ]);
    let part = site.token(&part).await.json()["access_token"].as_str().unwrap().to_owned();
    let waiting = site.waiting(&part, &[("scope", "notes:write:mine notes:read:blue")]).await;
    let shown = ann.get(page_of(&waiting)).await;
    for words in ["was taken", "It is for: <q>Sum up &#60;red&#62;</q>", "It is a part of the grant", "notes:read:blue"] {
        assert!(shown.text.contains(words), "{words} in {}", shown.text);
    }
    // Less than what was asked for, too.
    let keys: Vec<(String, String)> = shown.form(PAGE).into_iter().filter(|(name, _)| name == "tick").collect();
    assert_eq!(keys.len(), 2);
    let form: Fields = shown.form(PAGE).into_iter().filter(|field| *field != keys[0]).collect();
    ann.post(PAGE, &with(form, &[("visible_ms", "2000")])).await;
    let given = site.comes_for(&waiting).await.json();
    assert_eq!(given["scope"], "notes:read:blue notes:read:red");
    let living = site.living().await;
    let more = living.iter().find(|grant| grant.widens.is_some()).unwrap();
    assert!(more.parent.is_none() && living.len() == 3, "the person gave it, and nobody above it bounds it: {living:?}");
    let revoke = fields(&[("token", &whole), ("client_id", "page")]);
    site.application("/login/oauth/revoke", &revoke, None).await;
    assert!(site.living().await.is_empty(), "it ends with the one above the one that asked");
}

#[tokio::test]
async fn a_person_who_has_less_gives_less() {
    let site = site().await;
    let mut ann = site.ann().await;
    let token = site.small_token(&mut ann).await;
    let waiting = site.waiting(&token, &[]).await;
    let old = ann.get(page_of(&waiting)).await;
    site.login.set_scopes("test", "ann", &["notes:read:blue".to_owned()]).await.unwrap();
    let again = ann.post(PAGE, &with(old.form(PAGE), &[("visible_ms", "2000")])).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "what may be given has changed");
    let shown = ann.get(page_of(&waiting)).await;
    assert!(shown.text.contains("What it has gives nothing") && shown.form(PAGE).iter().all(|(name, _)| name != "tick"), "{}", shown.text);
    assert_eq!(site.living().await.len(), 1);
}
