//! Agents: their grants are short unless the person says otherwise, and say what they are for.

use crate::site::applications::{DECISION, Fields, authorization_fields, authorize, fields, parameter};
use crate::site::{Browser, Page, TARGET, request_for, site, with};
use falconer_store::{AuditStart, Store};
use http::StatusCode;

const HOUR: &str = "3600000";
const DAY: &str = "86400000";
const PURPOSE: &str = "Sum up <today> & file it";
const QUOTED: &str = "<q>Sum up &#60;today&#62; &#38; file it</q>";

/// The time that is chosen beforehand, and all that may be.
fn lifetimes(page: &Page) -> (String, Vec<String>) {
    let tags = page.text.split("<input").filter(|tag| tag.contains("name=\"lifetime\""));
    let value = |tag: &str| tag.split(" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let chosen = tags.clone().find(|tag| tag.split('>').next().unwrap().contains(" checked")).map(value).unwrap();
    (chosen, tags.map(value).collect())
}

fn requested(changes: &[(&str, &str)]) -> Fields {
    with(with(authorization_fields(), &[("scope", "notes:read:*")]), changes)
}

async fn page_of(browser: &mut Browser<'_>, changes: &[(&str, &str)]) -> Page {
    let page = browser.get(&authorize(&requested(changes))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page
}

#[tokio::test]
async fn whoever_says_a_purpose_has_an_hour_and_the_person_sees_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    assert_eq!(lifetimes(&page_of(&mut ann, &[]).await).0, DAY);
    let page = page_of(&mut ann, &[("purpose", PURPOSE)]).await;
    assert!(page.text.contains(QUOTED) && page.text.contains("What for, in its own words:"), "{}", page.text);
    assert_eq!(lifetimes(&page).0, HOUR);
    // A wish for more can be chosen, and is not.
    let (chosen, all) = lifetimes(&page_of(&mut ann, &[("purpose", PURPOSE), ("expires", "5 hours")]).await);
    assert!(chosen == HOUR && all.contains(&"18000000".to_owned()), "{chosen} {all:?}");
    assert_eq!(lifetimes(&page_of(&mut ann, &[("purpose", PURPOSE), ("expires", "10 minutes")]).await).0, "600000");

    ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000"), ("grant_name", "Mine")])).await;
    let [grant] = site.store.load().await.unwrap().grants.try_into().unwrap();
    assert_eq!((grant.purpose.as_deref(), grant.application.as_deref()), (Some(PURPOSE), Some("page")));
    assert_eq!(grant.expires_ms - grant.created_ms, 3_600_000);
    assert!(ann.get("/me/grants").await.text.contains(&format!("for: {QUOTED}")));
    assert!(ann.get("/").await.text.contains(QUOTED));
    let [row] = site.store.entity_history("grant", &grant.id, AuditStart::Offset(0), 10).await.unwrap().try_into().unwrap();
    assert_eq!(row.detail.unwrap()["purpose"], PURPOSE);
}

#[tokio::test]
async fn an_agent_that_is_registered_needs_to_say_nothing() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = page_of(&mut ann, &[("client_id", "helper")]).await;
    assert!(lifetimes(&page).0 == HOUR && !page.text.contains("What for"), "{}", page.text);
    let answer = ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000"), ("lifetime", DAY)])).await;
    assert!(parameter(answer.location(), "code").is_some());
    let [grant] = site.store.load().await.unwrap().grants.try_into().unwrap();
    assert_eq!(grant.expires_ms - grant.created_ms, 86_400_000, "the person may say otherwise");
}

#[tokio::test]
async fn sites_and_devices_say_it_too() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for(TARGET, "&scope=notes:read:red&purpose=Sum+up+%3Ctoday%3E+%26+file+it")).await;
    assert!(page.text.contains(QUOTED) && lifetimes(&page).0 == HOUR, "{}", page.text);
    let form = with(page.form("/grant"), &[("visible_ms", "2000"), ("typed_host", "notes.example.com")]);
    ann.post("/grant", &form).await.location();
    assert!(ann.get("/me/grants").await.text.contains(&format!("for: {QUOTED}")));

    let tv = fields(&[("client_id", "tv"), ("scope", "notes:read:*"), ("purpose", PURPOSE)]);
    let codes = site.application("/login/oauth/device_authorization", &tv, None).await.json();
    let typed = with(ann.get("/device").await.form("/device"), &[("user_code", codes["user_code"].as_str().unwrap())]);
    let page = ann.post("/device", &typed).await;
    assert!(page.text.contains(QUOTED) && lifetimes(&page).0 == HOUR, "{}", page.text);
    assert!(!ann.get("/").await.text.contains("Asks for more"), "a device is no grant that asks");
}

#[tokio::test]
async fn what_is_no_text_to_show_is_refused() {
    let site = site().await;
    let mut ann = site.ann().await;
    let long = "x".repeat(201);
    for purpose in [" ", &long, "a\nb", "a\u{202e}b", "\u{3164}", "a\u{0}"] {
        let query: String = url::form_urlencoded::byte_serialize(purpose.as_bytes()).collect();
        let page = ann.get(&request_for(TARGET, &format!("&purpose={query}"))).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{purpose:?}");
        let answer = ann.get(&authorize(&requested(&[("purpose", purpose)]))).await;
        assert_eq!(parameter(answer.location(), "error").as_deref(), Some("invalid_request"), "{purpose:?}");
        let tv = fields(&[("client_id", "tv"), ("purpose", purpose)]);
        let (_, word) = site.application("/login/oauth/device_authorization", &tv, None).await.oauth_error();
        assert_eq!(word, "invalid_request", "{purpose:?}");
    }
    let twice = ann.get(&request_for(TARGET, "&purpose=a&purpose=b")).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn consent_is_for_the_purpose_that_was_seen() {
    let site = site().await;
    let mut ann = site.ann().await;
    let asks = async |ann: &mut Browser<'_>, purpose: &str| {
        let page = ann.get(&authorize(&requested(&[("client_id", "remembered"), ("purpose", purpose)]))).await;
        page.status == StatusCode::OK
    };
    let page = page_of(&mut ann, &[("client_id", "remembered"), ("purpose", PURPOSE)]).await;
    ann.post(DECISION, &with(page.form(DECISION), &[("visible_ms", "2000"), ("remember", "yes")])).await.location();
    assert!(!asks(&mut ann, PURPOSE).await, "the same for the same");
    assert!(asks(&mut ann, "Empty the shelf").await, "something else");
    assert!(asks(&mut ann, "").await, "and nothing in particular is something else too");
    let grants = site.store.load().await.unwrap().grants;
    assert!(grants.len() == 2 && grants.iter().all(|grant| grant.purpose.as_deref() == Some(PURPOSE)), "{grants:?}");
    assert!(grants.iter().all(|grant| grant.expires_ms - grant.created_ms == 3_600_000), "and as short");
}
