//! A session that has ended while somebody was on a page: signing in leads back there.

use crate::site::applications::{authorization_fields, authorize};
use crate::site::provider::{FakeProvider, configured, found};
use crate::site::{Browser, Page, encode, request_for, site, site_with, with};
use falconer_web::RequestLimits;
use http::{Method, StatusCode};
use std::sync::atomic::Ordering;

/// The session of this browser has ended.
fn end(browser: &mut Browser<'_>) {
    browser.cookies.retain(|(name, _)| name != "__Host-falconer");
    assert!(!browser.is_signed_in());
}

/// Where the link to the sign-in page leads on to.
fn leads_back_to(page: &Page) -> String {
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.text);
    assert!(page.text.contains("You are signed out"), "{}", page.text);
    next_of(page.text.split("href=\"/login?").nth(1).unwrap_or_else(|| panic!("no link in {}", page.text)).split('"').next().unwrap())
}

fn next_of(query: &str) -> String {
    let query = query.strip_prefix("/login?").unwrap_or(query);
    url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next").unwrap().1.into_owned()
}

/// Story: an application asked with `prompt=login`, the session ended on the page for that, and the way back to the application was lost.
#[tokio::test]
async fn the_way_to_an_application_is_kept() {
    let site = site().await;
    let mut ann = site.ann().await;
    site.clock.0.fetch_add(3_600_000, Ordering::SeqCst);
    let request = authorize(&with(authorization_fields(), &[("client_id", "who"), ("scope", "openid"), ("prompt", "login")]));
    let again = ann.get(&request).await.location().to_owned();
    let form = ann.get(&again).await.form("/me/again");
    let wanted = next_of(&again);
    assert!(wanted.starts_with("/login/oauth/authorize?"), "{wanted}");
    end(&mut ann);
    assert_eq!(next_of(ann.get(&again).await.location()), wanted);
    let refused = ann.post("/me/again", &with(form, &[("password", crate::site::PASSWORD)])).await;
    assert_eq!(leads_back_to(&refused), wanted);
    let signed_in = ann.sign_in(&format!("/login?{}", encode(&[("next".to_owned(), wanted)]))).await;
    assert!(ann.get(&signed_in.leads_on_to()).await.text.contains("The &#60;who&#62; application"));
}

/// A form that waits for a fresh sign-in belongs to a page too.
#[tokio::test]
async fn the_request_of_a_site_is_kept() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&request_for("https://known.example/login", "&scope=auth%3Acreate-role%3A*")).await;
    site.clock.0.fetch_add(3_600_000, Ordering::SeqCst);
    let waits = ann.post("/grant", &with(page.form("/grant"), &[("visible_ms", "5000")])).await;
    let form = waits.form("/me/again");
    end(&mut ann);
    let next = leads_back_to(&ann.post("/me/again", &form).await);
    assert!(next.starts_with("/?target=https%3A%2F%2Fknown.example%2Flogin&"), "{next}");
}

#[tokio::test]
async fn the_page_of_a_form_is_kept() {
    let site = site().await;
    let mut cleo = site.somebody("cleo", &["auth:*"]).await;
    let form = with(cleo.get("/auth/roles/add").await.form("/auth/roles/edit"), &[("id", "team"), ("do", "save")]);
    end(&mut cleo);
    let added = [("origin", site.origin.as_str()), ("referer", "https://auth.example.com/auth/roles/add")];
    let refused = cleo.send(Method::POST, "/auth/roles/edit", &added, Some(encode(&form))).await;
    assert_eq!(leads_back_to(&refused), "/auth/roles/add");
    assert_eq!(leads_back_to(&cleo.post("/auth/roles/edit", &form).await), "/auth/roles/edit?id=team");
    assert_eq!(leads_back_to(&cleo.post("/me/sessions", &form).await), "/");
    assert_eq!(next_of(cleo.get("/me/unlink?identity=local%2Fcleo").await.location()), "/me/unlink?identity=local%2Fcleo");
}

#[tokio::test]
async fn what_a_provider_was_asked_for_is_kept() {
    let company = configured("company", "Company", &[], FakeProvider::password(|name, _| Ok(found(name, None))));
    let site = site_with("https://auth.example.com", RequestLimits::default(), vec![company]).await;
    let mut browser = site.browser();
    assert_eq!(leads_back_to(&browser.get("/login/company?for=again&next=%2Fme%2Fgrants").await), "/me/grants");
    assert_eq!(leads_back_to(&browser.get("/login/company?for=link").await), "/auth/identities");
    let form = browser.get("/login/company?next=%2Fme%2Fgrants").await.form("/login/company");
    assert_eq!(leads_back_to(&browser.post("/login/company", &with(form, &[("for", "again")])).await), "/me/grants");
}
