//! SCIM as directories speak it: what Entra and Okta send, what follows for people, who may call what, and what nobody is given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "scim/company.rs"]
mod company;
#[path = "scim/history.rs"]
mod history;
#[path = "scim/hostile.rs"]
mod hostile;
#[path = "scim/large.rs"]
mod large;
mod site;
mod snapshot;

use company::{COMPANY, Company, OTHER, company, person, user_body};
use http::Method;
use serde_json::{Value, json};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn patch(operations: Value) -> Value {
    json!({"schemas": [PATCH], "Operations": operations})
}

/// The documented requests of Entra's provisioning service, in the order in which it sends them.
#[tokio::test]
async fn what_entra_sends() {
    let company = company().await;
    let none = company.get("/Users?filter=userName+eq+%22Test_User_dfeef4c5%40testuser.com%22").await;
    assert_eq!((none["totalResults"].clone(), none["Resources"].clone()), (json!(0), json!([])));
    let created = company
        .ok(
            Method::POST,
            "/Users",
            Some(json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
                "userName": "Test_User_ab6490ee@testuser.com",
                "active": true,
                "displayName": "Test User",
                "emails": [{"primary": true, "type": "work", "value": "Test_User_fd0ea19b@testuser.com"}],
                "meta": {"resourceType": "User"},
                "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "x"},
                "roles": [],
            })),
            201,
        )
        .await;
    let id = created["id"].as_str().unwrap();
    assert_eq!(created["meta"]["version"], "W/\"1\"");
    assert_eq!(created["meta"]["location"], format!("https://auth.example.com/scim/v2/Users/{id}"));
    assert_eq!(company.get(&format!("/Users/{id}")).await, created);
    let operations = json!([
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "updatedEmail@example.com"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": "x"},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1"},
        {"op": "Add", "path": "emails[type eq \"home\"].value", "value": "home@example.com"},
    ]);
    let changed = company.ok(Method::PATCH, &format!("/Users/{id}"), Some(patch(operations)), 200).await;
    assert_eq!((changed["active"].clone(), changed["meta"]["version"].clone()), (json!(false), json!("W/\"2\"")));
    assert_eq!(changed["name"]["familyName"], "updatedFamilyName");
    assert_eq!(
        changed["emails"],
        json!([
            {"value": "updatedEmail@example.com", "type": "work", "primary": true},
            {"value": "home@example.com", "type": "home"},
        ])
    );
    let found = company.get("/Users?filter=externalId%20eq%20%220a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef%22").await;
    assert_eq!(found["Resources"][0]["id"], id);
    let group = company
        .ok(Method::POST, "/Groups", Some(json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "displayName",
            "meta": {"resourceType": "Group"},
        })), 201)
        .await;
    let group = group["id"].as_str().unwrap();
    let add = patch(json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": id}]}]));
    company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(add), 200).await;
    let without = company.get("/Groups?excludedAttributes=members&filter=displayName+eq+%22displayName%22").await;
    assert_eq!((without["totalResults"].clone(), without["Resources"][0].get("members")), (json!(1), None));
    assert_eq!(company.get(&format!("/Groups/{group}")).await["members"], json!([{"value": id, "type": "User"}]));
    let remove = patch(json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": id}]}]));
    let left = company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(remove), 200).await;
    assert_eq!(left["members"], json!([]));
    let name = patch(json!([{"op": "Replace", "path": "displayName", "value": "New"}]));
    assert_eq!(company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(name), 200).await["displayName"], "New");
    company.ok(Method::DELETE, &format!("/Groups/{group}"), None, 204).await;
    company.ok(Method::DELETE, &format!("/Users/{id}"), None, 204).await;
    company.ok(Method::GET, &format!("/Users/{id}"), None, 404).await;
}

/// The documented requests of Okta.
#[tokio::test]
async fn what_okta_sends() {
    let company = company().await;
    let none = company.get("/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100").await;
    assert_eq!((none["totalResults"].clone(), none["startIndex"].clone(), none["itemsPerPage"].clone()), (json!(0), json!(1), json!(0)));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "test.user@okta.local",
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": true, "value": "test.user@okta.local", "type": "work"}],
        "displayName": "Test User", "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "groups": [], "password": "1mz050nq", "active": true,
    });
    let created = company.ok(Method::POST, "/Users", Some(body.clone()), 201).await;
    assert!(!created.to_string().contains("1mz050nq"));
    let id = created["id"].as_str().unwrap();
    let repeated = company.ok(Method::POST, "/Users", Some(body.clone()), 409).await;
    assert_eq!(repeated["scimType"], "uniqueness");
    // A whole one, with what it was given.
    let mut whole = created.clone();
    whole["displayName"] = json!("Another");
    assert_eq!(company.ok(Method::PUT, &format!("/Users/{id}"), Some(whole), 200).await["displayName"], "Another");
    // Without a path.
    let off = patch(json!([{"op": "replace", "value": {"active": false}}]));
    assert_eq!(company.ok(Method::PATCH, &format!("/Users/{id}"), Some(off), 200).await["active"], false);
    // A whole one that does not say it changes nothing of it.
    let mut silent = body;
    silent.as_object_mut().unwrap().remove("active");
    assert_eq!(company.ok(Method::PUT, &format!("/Users/{id}"), Some(silent), 200).await["active"], false);
    let group = company
        .ok(
            Method::POST,
            "/Groups",
            Some(json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Test SCIMv2", "members": [],
            })),
            201,
        )
        .await;
    let group = group["id"].as_str().unwrap();
    let operations = json!([
        {"op": "replace", "value": {"id": group, "displayName": "Test SCIMv0"}},
        {"op": "add", "path": "members", "value": [{"value": id, "display": "test.user@okta.local"}]},
    ]);
    let changed = company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(patch(operations)), 200).await;
    assert_eq!((changed["displayName"].clone(), changed["members"][0]["value"].clone()), (json!("Test SCIMv0"), json!(id)));
    let remove = patch(json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]));
    assert_eq!(company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(remove), 200).await["members"], json!([]));
    let all = patch(json!([{"op": "replace", "path": "members", "value": [{"value": id}]}]));
    assert_eq!(company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(all), 200).await["members"][0]["value"], id);
}

/// A client of a person's own.
async fn client_of(company: &Company, identity: &str, scopes: &[&str]) -> String {
    let id = format!("{identity}/laptop");
    company.make_client(&id, scopes).await;
    id
}

#[tokio::test]
async fn whoever_leaves_a_group_loses_it_at_once() {
    let company = company().await;
    let ann = company.push("1234").await;
    let group = company.push_group("red", &[&ann]).await;
    let (mut browser, page) = company.sign_in("1234").await;
    assert!(page.status.is_redirection());
    assert_eq!(company.groups("company/1234"), ["red"], "what the directory pushed, and not what the token says");
    assert!(company.scopes("company/1234").contains(&"assume:group:red".to_owned()));
    let client = client_of(&company, "company/1234", &["assume:group:red"]).await;
    assert!(!company.is_disabled(&client));
    let remove = patch(json!([{"op": "remove", "path": format!("members[value eq \"{ann}\"]")}]));
    company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(remove), 200).await;
    assert!(company.groups("company/1234").is_empty() && !company.scopes("company/1234").contains(&"assume:group:red".to_owned()));
    assert!(company.is_disabled(&client));
    let history = company.history("identity", "company/1234").await;
    assert!(history.contains("falconer/scim/company") && history.contains("assume:group:red"), "{history}");
    assert!(company.history("client", &client).await.contains("disabled"));
    assert_eq!(browser.get("/").await.status, 200, "the person is still there");
    // A rename and a deletion reach everybody in the group too.
    let add = patch(json!([{"op": "add", "path": "members", "value": [{"value": ann}]}]));
    company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(add), 200).await;
    let rename = patch(json!([{"op": "replace", "value": {"displayName": "blue"}}]));
    company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(rename), 200).await;
    assert_eq!(company.groups("company/1234"), ["blue"]);
    company.ok(Method::DELETE, &format!("/Groups/{group}"), None, 204).await;
    assert!(company.groups("company/1234").is_empty());
}

#[tokio::test]
async fn whoever_is_deactivated_or_deleted_ends_at_once() {
    for ends in ["deactivated", "deleted"] {
        let company = company().await;
        let ann = company.push("1234").await;
        company.push_group("red", &[&ann]).await;
        let (mut browser, _) = company.sign_in("1234").await;
        let client = client_of(&company, "company/1234", &["assume:group:red"]).await;
        assert_eq!(browser.get("/").await.status, 200);
        match ends {
            "deactivated" => {
                let off = patch(json!([{"op": "Replace", "path": "active", "value": "False"}]));
                drop(company.ok(Method::PATCH, &format!("/Users/{ann}"), Some(off), 200).await);
            }
            _ => drop(company.ok(Method::DELETE, &format!("/Users/{ann}"), None, 204).await),
        }
        assert!(company.is_gone("company/1234") && company.is_disabled(&client), "{ends}");
        assert!(company.scopes("company/1234").is_empty());
        assert_ne!(browser.get("/").await.status, 200, "{ends}");
        assert_eq!(company.sign_in("1234").await.1.status, 403, "{ends}");
        // Another one of the same person.
        match ends {
            "deactivated" => {
                let on = patch(json!([{"op": "replace", "value": {"active": true}}]));
                drop(company.ok(Method::PATCH, &format!("/Users/{ann}"), Some(on), 200).await);
            }
            _ => drop(company.push("1234").await),
        }
        assert!(company.is_gone("company/1234"), "{ends}: a push gives nobody anything");
        assert!(company.sign_in("1234").await.1.status.is_redirection(), "{ends}");
        assert!(!company.is_gone("company/1234"));
        assert!(company.is_disabled(&client), "{ends}: what ended stays so");
    }
}

#[tokio::test]
async fn who_signs_in_and_with_which_groups() {
    let company = company().await;
    assert_eq!(company.sign_in("nobody").await.1.status, 403, "only those who were pushed");
    assert!(company.site.auth.directory().identity("company/nobody").is_none());
    // The other directory lets others in, with the groups of their tokens, and so where it does not decide about groups.
    assert!(company.sign_in_with("other", "5").await.1.status.is_redirection());
    assert_eq!(company.groups("other/5"), ["claimed"]);
    let five = company.as_other().push("5").await;
    company.as_other().push_group("red", &[&five]).await;
    assert_eq!(company.groups("other/5"), ["claimed"]);
    // Whoever it has deleted comes back only by being pushed again.
    company.as_other().ok(Method::DELETE, &format!("/Users/{five}"), None, 204).await;
    assert_eq!(company.sign_in_with("other", "5").await.1.status, 403);
    assert!(company.sign_in_with("other", "6").await.1.status.is_redirection());
}

#[tokio::test]
async fn an_address_that_the_directory_changes_counts_no_more() {
    let company = company().await;
    let ann = company.push("1234").await;
    company.sign_in("1234").await;
    assert!(company.scopes("company/1234").contains(&"assume:user:1234@example.com".to_owned()));
    let mail = |address: &str| patch(json!([{"op": "replace", "path": "emails", "value": [{"value": address, "type": "work"}]}]));
    company.ok(Method::PATCH, &format!("/Users/{ann}"), Some(mail("1234@EXAMPLE.com")), 200).await;
    assert!(company.scopes("company/1234").contains(&"assume:user:1234@example.com".to_owned()));
    company.ok(Method::PATCH, &format!("/Users/{ann}"), Some(mail("root@example.com")), 200).await;
    let scopes = company.scopes("company/1234").join(" ");
    assert!(!scopes.contains("assume:user:"), "neither the old one nor, unproved, the new one: {scopes}");
}

#[tokio::test]
async fn versions_are_kept() {
    let company = company().await;
    let ann = company.push("1234").await;
    let at = format!("/Users/{ann}");
    let change = |name: &str| Some(patch(json!([{"op": "replace", "path": "displayName", "value": name}])));
    let with = async |method: Method, header: &'static str, value: &str, body: Option<Value>| {
        company.send(COMPANY, method, &at, body, &[(header, value)]).await
    };
    assert_eq!(with(Method::PATCH, "if-match", "W/\"7\"", change("b")).await.status, 412);
    assert_eq!(with(Method::PATCH, "if-match", "nonsense", change("b")).await.status, 412);
    assert_eq!(with(Method::DELETE, "if-match", "W/\"7\"", None).await.status, 412);
    let fits = with(Method::PATCH, "if-match", "W/\"7\", W/\"1\"", change("b")).await;
    assert_eq!((fits.status.as_u16(), fits.header("etag")), (200, "W/\"2\""));
    assert_eq!(with(Method::GET, "if-none-match", "W/\"2\"", None).await.status, 304);
    assert_eq!(with(Method::GET, "if-none-match", "W/\"1\"", None).await.status, 200);
    let same = with(Method::PATCH, "if-match", "*", change("b")).await;
    assert_eq!(same.header("etag"), "W/\"2\"", "nothing was changed");
    assert_eq!(with(Method::DELETE, "if-match", "W/\"2\"", None).await.status, 204);
}

#[tokio::test]
async fn lists_come_in_bounded_parts() {
    let company = company().await;
    for number in 0..5 {
        company.push(&format!("{number}")).await;
    }
    let page = company.get("/Users?startIndex=2&count=2&attributes=userName").await;
    assert_eq!((page["totalResults"].clone(), page["itemsPerPage"].clone(), page["startIndex"].clone()), (json!(5), json!(2), json!(2)));
    let keys: Vec<&String> = page["Resources"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 3, "schemas, id and what was asked for: {keys:?}");
    assert_eq!(company.get("/Users?count=-1").await["itemsPerPage"], 0);
    assert_eq!(company.get("/Users?startIndex=-5&count=100000").await["itemsPerPage"], 5);
    assert_eq!(company.get("/Users?filter=userName+eq+%221%40example.com%22+and+id+eq+%22x%22").await["totalResults"], 0);
    for document in [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Schemas",
        "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group",
    ] {
        let page = company.send(COMPANY, Method::GET, document, None, &[]).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "application/scim+json; charset=utf-8"), "{document}");
    }
}

/// What a node did not come to is done by the next round.
#[tokio::test]
async fn a_push_is_followed_once_and_again_where_it_was_cut_off() {
    let company = company().await;
    let ann = company.push("1234").await;
    company.sign_in("1234").await;
    let group = company.push_group("red", &[&ann]).await;
    let revision = company.site.auth.revision();
    let repeated = patch(json!([{"op": "add", "path": "members", "value": [{"value": ann}]}]));
    company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(repeated), 200).await;
    company.site.login.refresh_due().await.unwrap();
    assert_eq!(company.site.auth.revision(), revision, "nothing is new");
    assert_eq!(user_body("1234")["externalId"], "1234");
    assert_eq!(person("1234").subject, "1234");
}

/// Who may call what.
#[tokio::test]
async fn the_table_of_callers_is_as_it_was_read() {
    let mut text = String::from(
        "# Who may call SCIM\n\nEach line is one request, each column who sends it: without a token, with a wrong one, with the token of another directory, with a browser's \
         session, with the directory's own. Written by the test `scim`; do not edit.\n\n| request | nobody | wrong token | another directory | session | own token |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let requests = [
        ("GET", "/ServiceProviderConfig"),
        ("GET", "/ResourceTypes"),
        ("GET", "/ResourceTypes/User"),
        ("GET", "/Schemas"),
        ("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User"),
        ("GET", "/Users"),
        ("POST", "/Users"),
        ("GET", "/Users/{user}"),
        ("PUT", "/Users/{user}"),
        ("PATCH", "/Users/{user}"),
        ("DELETE", "/Users/{user}"),
        ("GET", "/Groups"),
        ("POST", "/Groups"),
        ("GET", "/Groups/{group}"),
        ("PUT", "/Groups/{group}"),
        ("PATCH", "/Groups/{group}"),
        ("DELETE", "/Groups/{group}"),
        ("POST", "/Bulk"),
        ("GET", "/Me"),
        ("PUT", "/Users"),
        ("GET", ""),
        ("GET", "/Users/{user}/x"),
    ];
    for (method, path) in requests {
        text.push_str(&format!("| `{method} /scim/v2{path}` |"));
        for who in ["nobody", "wrong", "other", "session", "own"] {
            let company = company().await;
            let user = company.push("1234").await;
            let group = company.push_group("red", &[&user]).await;
            let at = path.replace("{user}", &user).replace("{group}", &group);
            let body = match (method, path.starts_with("/Users")) {
                ("POST", true) => Some(user_body("77")),
                ("PUT", true) => Some(user_body("1234")),
                ("POST" | "PUT", false) => Some(json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "77"})),
                ("PATCH", _) => Some(patch(json!([{"op": "replace", "path": "displayName", "value": "77"}]))),
                _ => None,
            };
            let cookie = match who {
                "session" => company.session().await,
                _ => String::new(),
            };
            let token = match who {
                "wrong" => "x".repeat(40),
                "other" => OTHER.to_owned(),
                "own" => COMPANY.to_owned(),
                _ => String::new(),
            };
            let page = company.send(&token, method.parse().unwrap(), &at, body, &[("cookie", cookie.as_str())]).await;
            text.push_str(&format!(" {} |", page.status.as_u16()));
        }
        text.push('\n');
    }
    snapshot::is_as_it_was_read("scim_verdicts.md", &text);
}
