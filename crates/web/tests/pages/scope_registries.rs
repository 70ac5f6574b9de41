//! What services publish about their scopes, on pages: the grant page, consent that is remembered, and the page of administrators.

use std::sync::atomic::Ordering;

use falconer_auth::{Authentication, Risk, ScopeSentence};
use falconer_store::Store as _;
use http::StatusCode;

use crate::site::{Browser, PASSWORD, Page, Site, request_for, site, with};

const KNOWN: &str = "https://known.example/login";
const LIST: &str = "/auth/scope-registries";
const CONFIRM: &str = "/auth/scope-registries/confirm";
const READ: &str = "&scope=notes:read:zap";

async fn publish(site: &Site, sentence: &str, risk: Risk) {
    let scopes = [ScopeSentence { template: "notes:read:<book>".to_owned(), sentence: sentence.to_owned(), risk }];
    let who = Authentication::person("local/publisher");
    site.web.grants.put_scope_registry(&who, "notes", &scopes).await.unwrap();
}

async fn with_publisher() -> Site {
    let site = site().await;
    site.somebody("publisher", &["auth:publish-scopes:*", "auth:list-scope-registries"]).await;
    site
}

async fn press(browser: &mut Browser<'_>, page: &Page) -> Page {
    let mut form = with(page.form("/grant"), &[("visible_ms", "5000")]);
    form.retain(|(name, _)| name != "tick");
    for input in page.text.split("<input").filter(|input| input.contains("name=\"tick\"")) {
        form.push(("tick".to_owned(), input.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()));
    }
    browser.post("/grant", &form).await
}

#[tokio::test]
async fn people_read_what_the_service_has_published() {
    let site = with_publisher().await;
    let mut ann = site.ann().await;
    let asks = request_for(KNOWN, READ);
    assert!(ann.get(&asks).await.text.contains("Read <b class=\"host\">zap</b>"));
    publish(&site, "Look into <book> & <book>", Risk::Ordinary).await;
    let page = ann.get(&asks).await;
    assert!(page.text.contains("Look into <b class=\"host\">zap</b> &#38; <b class=\"host\">zap</b>"), "{}", page.text);
    assert!(page.text.contains("<code>notes:read:zap</code>") && !page.text.contains(">broad<"), "{}", page.text);
    assert!(press(&mut ann, &page).await.location().starts_with(KNOWN));
    assert!(ann.get("/me/grants").await.text.contains("Look into"));
}

/// Whoever has read one sentence has not agreed to another one, and to a high risk only after a fresh sign-in.
#[tokio::test]
async fn a_press_grants_what_was_read_and_nothing_that_has_become_a_high_risk() {
    let site = with_publisher().await;
    let mut ann = site.ann().await;
    let asks = request_for(KNOWN, READ);
    publish(&site, "Look into <book>", Risk::Ordinary).await;
    let page = ann.get(&asks).await;
    publish(&site, "Destroy <book>", Risk::Ordinary).await;
    let shown = press(&mut ann, &page).await;
    assert_eq!(shown.status, StatusCode::CONFLICT, "{}", shown.text);
    assert!(shown.text.contains("or what is said of it, has changed") && shown.text.contains("Destroy"), "{}", shown.text);
    assert!(site.store.grants_of("local/ann").await.unwrap().is_empty());
    assert!(press(&mut ann, &shown).await.location().starts_with(KNOWN));

    // It was granted as something else: that it was granted before does not do any more.
    site.clock.0.fetch_add(15 * 60_000, Ordering::SeqCst);
    let page = ann.get(&asks).await;
    publish(&site, "Destroy <book>", Risk::High).await;
    let shown = press(&mut ann, &page).await;
    assert!(shown.status == StatusCode::CONFLICT && shown.text.contains(">broad<"), "{}", shown.text);
    let again = press(&mut ann, &shown).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "{}", again.text);
    assert_eq!(site.store.grants_of("local/ann").await.unwrap().len(), 1);
    let go_on = ann.post("/me/again", &with(again.form("/me/again"), &[("password", PASSWORD)])).await;
    assert!(ann.post("/grant", &go_on.form("/grant")).await.location().starts_with(KNOWN));

    // What was agreed to as it is, is not asked again.
    site.clock.0.fetch_add(15 * 60_000, Ordering::SeqCst);
    let page = ann.get(&asks).await;
    assert!(press(&mut ann, &page).await.location().starts_with(KNOWN));
}

#[tokio::test]
async fn administrators_see_who_has_published_what_and_delete_it() {
    let site = with_publisher().await;
    publish(&site, "Look into <book>", Risk::High).await;
    let mut ann = site.ann().await;
    assert_eq!(ann.get(LIST).await.status, StatusCode::FORBIDDEN);
    let mut admin = site.somebody("admin", &["auth:*"]).await;
    assert!(admin.get("/").await.text.contains(LIST));
    let list = admin.get(LIST).await.text;
    assert!(list.contains("1 sentence<") && list.contains("local/publisher") && !list.contains("Look into"), "{list}");
    let one = admin.get(&format!("{LIST}?namespace=notes")).await.text;
    assert!(one.contains("Look into &#60;book&#62;") && one.contains("high risk"), "{one}");
    assert_eq!(admin.get(&format!("{LIST}?namespace=queue")).await.status, StatusCode::NOT_FOUND);

    let ask = admin.get(&format!("{CONFIRM}?id=notes")).await.form(CONFIRM);
    // It was published anew meanwhile.
    site.clock.0.fetch_add(1000, Ordering::SeqCst);
    publish(&site, "Look at <book>", Risk::High).await;
    let stale = admin.post(CONFIRM, &ask).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text);
    let written = admin.post(CONFIRM, &with(stale.form(CONFIRM), &[("action", "delete")])).await;
    assert_eq!(written.status, StatusCode::CONFLICT, "a form that says nothing of what it has shown: {}", written.text);
    assert_eq!(admin.post(CONFIRM, &stale.form(CONFIRM)).await.location(), "/auth/scope-registries?done=deleted");
    assert!(admin.get(LIST).await.text.contains("No service has published any."));
    assert!(ann.get(&request_for(KNOWN, READ)).await.text.contains("Read <b class=\"host\">zap</b>"));
    let history = admin.get("/auth/audit?kind=scope-registry").await.text;
    assert!(history.contains("deleted") && history.contains("Look at"), "{history}");

    // Deleting takes away what guards people: it waits for whoever has just signed in.
    publish(&site, "Look at <book>", Risk::High).await;
    site.clock.0.fetch_add(15 * 60_000, Ordering::SeqCst);
    let ask = admin.get(&format!("{CONFIRM}?id=notes")).await.form(CONFIRM);
    let again = admin.post(CONFIRM, &ask).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(site.auth.directory().scope_registries().get("notes").is_some());
    // The form was lost here: whoever had signed in again believed that it was done.
    let go_on = admin.post("/me/again", &with(again.form("/me/again"), &[("password", PASSWORD)])).await;
    assert_eq!(admin.post(CONFIRM, &go_on.form(CONFIRM)).await.location(), "/auth/scope-registries?done=deleted");
    assert!(site.auth.directory().scope_registries().get("notes").is_none());
}

/// Whoever has what the service says of the operator's own namespace may not say it.
#[tokio::test]
async fn what_the_configuration_says_is_nobody_elses() {
    let site = with_publisher().await;
    let who = Authentication::person("local/publisher");
    let scopes = [ScopeSentence { template: "shelf:burn:<shelf>".to_owned(), sentence: "Nothing".to_owned(), risk: Risk::Ordinary }];
    let error = site.web.grants.put_scope_registry(&who, "shelf", &scopes).await.unwrap_err();
    assert!(error.to_string().contains("ask its operator"), "{error}");
    // It was published before the configuration said anything: that counts no more.
    site.auth.put_scope_registry(&who, "shelf", &scopes).await.unwrap();
    let mut bea = site.somebody("bea", &["shelf:*"]).await;
    let page = bea.get(&request_for(KNOWN, "&scope=shelf:burn:a")).await;
    assert!(page.text.contains("Burn <b class=\"host\">a</b>") && page.text.contains(">broad<"), "{}", page.text);
    let mut admin = site.somebody("admin", &["auth:*"]).await;
    assert!(admin.get(LIST).await.text.contains("They are not used"));
}
