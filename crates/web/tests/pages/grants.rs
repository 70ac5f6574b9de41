//! Lists of grants: a person's own, and everybody's for an administrator.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::site::{Browser, Page, request_for, site, with};

/// Grants to a site that is registered, so that nothing has to be typed.
async fn grant(browser: &mut Browser<'_>, more: &str, name: &str) {
    let page = browser.get(&request_for("https://known.example/login", more)).await;
    let form = with(page.form("/grant"), &[("visible_ms", "5000"), ("grant_name", name)]);
    let granted = browser.post("/grant", &form).await;
    assert!(granted.location().starts_with("https://known.example/login?clientId="), "{}", granted.text);
}

async fn grant_elsewhere(browser: &mut Browser<'_>, host: &str) {
    let page = browser.get(&request_for(&format!("https://{host}/"), "&scope=queue:ping")).await;
    let form = with(page.form("/grant"), &[("visible_ms", "5000"), ("typed_host", host)]);
    assert!(browser.post("/grant", &form).await.location().starts_with(&format!("https://{host}/?clientId=")));
}

fn revocations(page: &Page) -> usize {
    page.text.matches("name=\"grant\"").count()
}

#[tokio::test]
async fn my_grants_are_listed_by_site_and_taken_back() {
    let site = site().await;
    let mut ann = site.ann().await;
    assert!(ann.get("/me/grants").await.text.contains("No site can act for you now."));
    for at in 0..25 {
        grant(&mut ann, &format!("&scope=notes:read:b{at}"), &format!("<{at}>")).await;
    }
    grant_elsewhere(&mut ann, "a.example").await;
    let mail = site.login.mail_is_sent();
    mail.await;
    let mails = std::mem::take(&mut *site.mails.0.lock().unwrap());
    assert_eq!(mails.len(), 26, "one for each");
    let about = mails.iter().find(|text| text.contains("    https://a.example\n")).unwrap();
    assert!(about.contains("https://auth.example.com/me/grants") && about.contains("act for you, until "), "{about}");

    let first = ann.get("/me/grants").await;
    assert!(first.text.contains("26 active grants") && first.text.contains("Revoke 25 grants"), "{}", first.text);
    assert_eq!(revocations(&first), 20);
    assert!(first.text.find("https://a.example").unwrap() < first.text.find("https://known.example").unwrap(), "by site");
    assert!(first.text.contains("&#60;24&#62;") && !first.text.contains("&#60;0&#62;"), "the newest first, and escaped");
    let next = first.text.split("href=\"/me/grants?q=").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let second = ann.get(&format!("/me/grants?q={next}")).await;
    assert_eq!(revocations(&second), 6);
    assert!(second.text.contains("&#60;0&#62;") && !second.text.contains("Next page"));
    let found = ann.get("/me/grants?q=A.EXAMPLE").await;
    assert_eq!(revocations(&found), 1);
    assert!(ann.get("/me/grants?q=nothing").await.text.contains("Nothing was found."));
    assert_eq!(revocations(&ann.get("/me/grants?from=nothing").await), 20, "a start that is none is the beginning");

    // One, all of a site, all.
    let csrf = with(first.form("/me/grants/revoke"), &[("grant", "")]);
    let one = found.form("/me/grants/revoke");
    assert_eq!(ann.post("/me/grants/revoke", &one).await.location(), "/me/grants?done=revoked");
    assert_eq!(ann.post("/me/grants/revoke", &with(csrf.clone(), &[("grant", "unknown")])).await.status, StatusCode::NOT_FOUND);
    assert!(ann.get("/me/grants").await.text.contains("25 active grants"), "what was revoked is not in the list");
    grant_elsewhere(&mut ann, "b.example").await;
    let of_site = with(csrf.clone(), &[("site", "https://known.example")]);
    assert_eq!(ann.post("/me/grants/revoke", &of_site).await.location(), "/me/grants?done=all-revoked");
    let left = ann.get("/me/grants?done=all-revoked").await;
    assert!(left.text.contains("1 active grant.") && left.text.contains("https://b.example"), "{}", left.text);
    assert_eq!(ann.post("/me/grants/revoke", &csrf).await.status, StatusCode::BAD_REQUEST);
    let all = with(csrf.clone(), &[("all", "yes")]);
    assert_eq!(ann.post("/me/grants/revoke", &all).await.location(), "/me/grants?done=all-revoked");
    assert!(ann.get("/me/grants").await.text.contains("No site can act for you now."));
}

/// Whoever thinks about revoking sees what ends with it.
#[tokio::test]
async fn clients_that_were_made_with_a_grant_are_named_with_it() {
    let site = site().await;
    let mut cleo = site.somebody("cleo", &["auth:create-client:made/*", "notes:*"]).await;
    let page = cleo.get(&request_for("https://known.example/login", "&scope=auth:create-client:made/*&scope=notes:read:x")).await;
    let granted = cleo.post("/grant", &with(page.form("/grant"), &[("visible_ms", "5000")])).await;
    let back = url::Url::parse(granted.location()).unwrap();
    assert!(!cleo.get("/me/grants").await.text.contains("Clients made with it"));

    let credentials: serde_json::Map<String, Value> = back.query_pairs().map(|(key, value)| (key.into_owned(), json!(value))).collect();
    let body = json!({"expires": "2026-09-01T00:00:00Z", "description": "", "scopes": ["notes:read:x"]});
    let made = site.signed(Method::PUT, &credentials.into(), "/api/auth/v1/clients/made%2Frobot", &body).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);

    let list = cleo.get("/me/grants").await;
    assert!(
        list.text.contains("Clients made with it, which end with it: ") && list.text.contains("<code>made/robot</code>"),
        "{}",
        list.text
    );
    cleo.post("/me/grants/revoke", &list.form("/me/grants/revoke")).await;
    assert!(!cleo.get("/me/grants").await.text.contains("made/robot"));
}

/// Pages read all that somebody had ever granted, to show what is open or was granted last: rows of ended grants may be kept for ever.
#[tokio::test]
async fn pages_read_what_they_show() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut boss = site.somebody("boss", &["auth:*"]).await;
    for at in 0..3 {
        grant(&mut ann, &format!("&scope=notes:read:b{at}"), "").await;
    }
    let list = ann.get("/me/grants").await;
    ann.post("/me/grants/revoke", &list.form("/me/grants/revoke")).await;
    for path in ["/", "/me/grants", &request_for("https://known.example/login", "&scope=notes:read:b1")] {
        assert_eq!(ann.get(path).await.status, StatusCode::OK, "{path}");
    }
    let person = boss.get("/auth/people?id=local%2Fann").await;
    assert_eq!(person.status, StatusCode::OK, "{}", person.text);
    assert_eq!(site.counted.calls_of("grants_of"), 0);
    assert!(site.counted.calls_of("open_grants_of") > 0 && site.counted.calls_of("last_grant_to") > 0, "this is how they read");
    // A list that goes on behind a grant that was taken back meanwhile goes on there.
    let known = list.form("/me/grants/revoke");
    let revoked = &known.iter().find(|(name, _)| name == "grant").unwrap().1;
    let on = ann.get(&format!("/me/grants?from={revoked}")).await;
    assert_eq!(revocations(&on), 2);
}

#[tokio::test]
async fn an_administrator_sees_the_grants_of_everybody() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut bob = site.somebody("bob", &["notes:*"]).await;
    grant(&mut ann, "&scope=notes:read:x", "of ann").await;
    grant(&mut bob, "&scope=notes:read:y", "of bob").await;
    assert_eq!(ann.get("/auth/grants").await.status, StatusCode::FORBIDDEN);

    let mut watcher = site.somebody("watcher", &["auth:list-grants"]).await;
    let page = watcher.get("/auth/grants").await;
    assert!(page.text.contains("of ann") && page.text.contains("of bob") && page.text.contains("local/bob"), "{}", page.text);
    assert!(page.text.contains("notes:read:y") && !page.text.contains("action=revoke"), "they look and can do nothing: {}", page.text);
    let mut admin = site.somebody("admin", &["auth:list-grants", "auth:get-person:*", "auth:revoke-grants-of-person:*"]).await;
    let page = admin.get("/auth/grants?q=LOCAL/BOB").await;
    assert!(page.text.contains("of bob") && !page.text.contains("of ann"), "{}", page.text);
    let href =
        page.text.split("href=\"").find(|href| href.contains("action=revoke")).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let ask = admin.get(&href).await;
    assert_eq!(ask.status, StatusCode::OK, "{}", ask.text);
    let done = admin.post("/auth/people/confirm", &ask.form("/auth/people/confirm")).await;
    assert!(done.status.is_redirection(), "{}", done.text);
    let page = admin.get("/auth/grants").await;
    assert!(page.text.contains("of ann") && !page.text.contains("of bob"), "{}", page.text);
}

/// Whoever lists and revokes need not be one who may see people: they read that they may not, after it was done.
#[tokio::test]
async fn whoever_revokes_comes_back_to_what_they_may_see() {
    let site = site().await;
    let mut ann = site.ann().await;
    grant(&mut ann, "&scope=notes:read:x", "of ann").await;
    grant(&mut ann, "&scope=notes:read:y", "other").await;
    let mut admin = site.somebody("admin", &["auth:list-grants", "auth:revoke-grants-of-person:*"]).await;
    let page = admin.get("/auth/grants").await;
    let href =
        page.text.split("href=\"").find(|href| href.contains("action=revoke")).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let ask = admin.get(&href).await;
    assert!(ask.text.contains("href=\"/auth/grants\">Cancel"), "{}", ask.text);
    let done = admin.post("/auth/people/confirm", &ask.form("/auth/people/confirm")).await;
    let page = admin.get(done.location()).await;
    assert!(page.status == StatusCode::OK && page.text.contains("The grant was revoked."), "{}", page.text);
    // And whoever may not even list comes to their own page.
    let mut other = site.somebody("other", &["auth:revoke-grants-of-person:*"]).await;
    let directory = site.auth.directory();
    let left = directory.grants().find(|grant| grant.record.revoked_ms.is_none()).unwrap().record.id.clone();
    let ask = other.get(&format!("/auth/people/confirm?id=local%2Fann&action=revoke&grant={left}")).await;
    let done = other.post("/auth/people/confirm", &ask.form("/auth/people/confirm")).await;
    assert_eq!(done.location(), "/?done=revoked");
    assert!(other.get(done.location()).await.text.contains("The grant was revoked."));
}
