//! The console in process: what it shows of clients, roles and one's own scopes.

use crate::site::{Browser, PASSWORD, START_MS, encode, site, with};
use falconer_auth::{Authentication, Batch, BatchClient, ClientInput, RoleInput};
use falconer_login::NewAccount;

#[tokio::test]
async fn searching_ones_scopes() {
    let site = site().await;
    let mut ann = site.ann().await;
    let found = ann.get("/?q=QUEUE").await;
    assert!(found.text.contains("<code>queue:ping</code>") && !found.text.contains("<code>notes:*</code>"));
    assert!(found.text.contains("1 scope for"), "{}", found.text);
    let hostile = ann.get("/?q=%22%3E%3Cscript%3E").await;
    assert!(!hostile.text.contains("<script"));
}

/// A browser in which somebody with these scopes is signed in.
async fn somebody<'a>(site: &'a crate::site::Site, scopes: &[&str]) -> Browser<'a> {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let account = NewAccount { name: "eve".to_owned(), display_name: "Eve".to_owned(), email: None, groups: vec![], scopes };
    site.login.create_account("test", &account, Some(PASSWORD)).await.unwrap();
    let mut browser = site.browser();
    let form = browser.get("/login").await.form("/login");
    browser.post("/login", &with(form, &[("name", "eve"), ("password", PASSWORD)])).await;
    assert!(browser.is_signed_in());
    browser
}

async fn add_client(site: &crate::site::Site, who: &str, id: &str, scopes: &[&str]) {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let expires_us = (START_MS + 86_400_000) * 1000;
    let input = ClientInput { expires_us, description: "<b>bold</b>".to_owned(), scopes: Some(scopes), delete_on_expiration: true };
    site.auth.create_client(&Authentication::person(who), id, &input).await.unwrap();
}

#[tokio::test]
async fn clients_and_roles_are_shown_to_whom_the_api_would_show_them() {
    for (path, list, get) in [
        ("/auth/clients", "auth:list-clients", "auth:get-client:project/x"),
        ("/auth/roles", "auth:list-roles", "auth:get-role:my role (x) %/?#"),
    ] {
        let site = site().await;
        let to = site.browser().get(&format!("{path}?q=a%2Fb&scope=notes%3Ax")).await;
        let next = format!("{path}?q=a%2Fb&scope=notes%3Ax");
        assert_eq!(to.location(), format!("/login?{}", encode(&[("next".to_owned(), next)])));
        let mut ann = site.ann().await;
        let refused = ann.get(path).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains(list), "{}", refused.text);
        let refused = ann.get(&format!("{path}?id=project%2Fx")).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        let mut reader = somebody(&site, &[list, get]).await;
        assert_eq!(reader.get(path).await.status, 200);
        let (_, id) = get.split_once(":get-").unwrap().1.split_once(':').unwrap();
        let absent = reader.get(&format!("{path}?{}", encode(&[("id".to_owned(), id.to_owned())]))).await;
        assert_eq!(absent.status, 404);
    }
}

#[tokio::test]
async fn records_are_found_by_id_and_by_scope_page_by_page() {
    let site = site().await;
    let mut root = somebody(&site, &["auth:*", "notes:*"]).await;
    for number in 0..60 {
        add_client(&site, "local/eve", &format!("project/c{number:02}"), &["notes:read:x"]).await;
    }
    add_client(&site, "local/eve", "project/writer", &["notes:write:*"]).await;
    let first = root.get("/auth/clients?q=PROJECT").await;
    assert!(first.text.contains("project/c00") && first.text.contains("project/c49") && !first.text.contains("project/c50"));
    assert!(first.text.contains("/auth/clients?q=PROJECT&#38;scope=&#38;from=project%2Fc49"), "{}", first.text);
    let second = root.get("/auth/clients?q=PROJECT&scope=&from=project%2Fc49").await;
    assert!(second.text.contains("project/c50") && second.text.contains("project/writer") && !second.text.contains("Next page"));
    let writers = root.get("/auth/clients?scope=notes%3Awrite%3Azap").await;
    assert!(writers.text.contains("project/writer") && !writers.text.contains("project/c00"));
    let nothing = root.get("/auth/clients?q=nothing-like-it").await;
    assert!(nothing.text.contains("Nothing was found") && !nothing.text.contains("Search on"), "{}", nothing.text);

    let one = root.get("/auth/clients?id=project%2Fwriter").await;
    assert!(one.text.contains("<code>notes:write:*</code>") && !one.text.contains("<b>bold"), "{}", one.text);

    let odd = "my role (x) %/?#";
    let input = RoleInput { scopes: vec!["notes:read:*".to_owned()], description: String::new() };
    site.auth.create_role(&Authentication::person("local/eve"), odd, &input).await.unwrap();
    let list = root.get("/auth/roles?q=my+role").await;
    let href = list.text.split("href=\"/auth/roles?id=").nth(1).unwrap().split('"').next().unwrap();
    let page = root.get(&format!("/auth/roles?id={href}")).await;
    assert!(page.status == 200 && page.text.contains("<code>my role (x) %/?#</code>"), "{}", page.text);
    assert!(page.text.contains("<code>notes:read:*</code>"));
}

/// Story: "Nothing was found" where the search had stopped at 2,000 of more records.
#[tokio::test]
async fn a_search_that_stops_says_so_and_goes_on() {
    let site = site().await;
    let mut root = somebody(&site, &["auth:*", "assume:x"]).await;
    let client = |number: usize| BatchClient {
        client_id: format!("project/c{number:04}"),
        expires_us: (START_MS + 86_400_000) * 1000,
        description: String::new(),
        scopes: Vec::new(),
        delete_on_expiration: false,
        disabled: None,
        access_token: None,
    };
    let mut clients: Vec<_> = (0..2100).map(client).collect();
    clients.push(BatchClient { client_id: "project/zebra".to_owned(), ..client(0) });
    site.auth.import(&Authentication::person("local/eve"), &Batch { roles: Vec::new(), clients }).await.unwrap();
    let page = root.get("/auth/clients?q=zebra").await;
    assert!(page.text.contains("Nothing was found yet: the search stopped after 2000 records"), "{}", page.text);
    let on = page.text.split("<a href=\"/auth/clients?q=zebra").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let found = root.get(&format!("/auth/clients?q=zebra{on}")).await;
    assert!(found.text.contains("project/zebra") && !found.text.contains("stopped"), "{}", found.text);
}
