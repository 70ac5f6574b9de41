//! What the history says of what a directory pushed: over the use case that the API and the command share, and on the pages.

use falconer_auth::{PageQuery, Start};
use http::Method;
use serde_json::{Value, json};

use crate::company::{Company, company};
use crate::patch;

/// Who did what to whom in the history of a person.
async fn of_person(company: &Company, identity: &str) -> Vec<(String, String, Value)> {
    let page = company.site.auth.person_history_here(identity, PageQuery { start: Start::Offset(0), limit: 100 }).await.unwrap();
    page.items.into_iter().map(|row| (row.client_id, row.action_type, row.detail.map_or(Value::Null, Value::Object))).collect()
}

/// Story: an organisation could not see who was pushed, deactivated and deleted, and into which groups, before they ever signed in.
#[tokio::test]
async fn somebody_who_never_signed_in_has_a_history() {
    let company = company().await;
    let ann = company.push("1234").await;
    let group = company.push_group("red", &[&ann]).await;
    let off = patch(json!([{"op": "replace", "path": "active", "value": false}]));
    company.ok(Method::PATCH, &format!("/Users/{ann}"), Some(off.clone()), 200).await;
    // Said once more it changes nothing.
    company.ok(Method::PATCH, &format!("/Users/{ann}"), Some(off), 200).await;
    let rename = patch(json!([{"op": "replace", "value": {"displayName": "blue"}}]));
    company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(rename), 200).await;
    let remove = patch(json!([{"op": "remove", "path": format!("members[value eq \"{ann}\"]")}]));
    for _ in 0..2 {
        company.ok(Method::PATCH, &format!("/Groups/{group}"), Some(remove.clone()), 200).await;
    }
    company.ok(Method::DELETE, &format!("/Groups/{group}"), None, 204).await;
    company.ok(Method::DELETE, &format!("/Users/{ann}"), None, 204).await;

    let rows = of_person(&company, "company/1234").await;
    let did: Vec<_> = rows.iter().map(|(by, action, _)| (by.as_str(), action.as_str())).collect();
    let by = "falconer/scim/company";
    assert_eq!(did, [(by, "directory-created"), (by, "directory-updated"), (by, "directory-deleted")]);
    assert_eq!(rows[0].2["userName"], json!({"before": null, "after": "1234@example.com"}));
    assert_eq!(rows[1].2, json!({"userName": "1234@example.com", "active": {"before": true, "after": false}}));

    let mut reader = company.site.somebody("reader", &["auth:audit-history:*"]).await;
    let page = reader.get("/auth/audit?type=group").await;
    for part in [
        "<option selected>group</option>",
        "Members: <span class=\"kept\">added 1234@example.com</span>",
        "Members: <span class=\"kept\">removed 1234@example.com</span>",
        "<span class=\"kept\">red</span> <span class=\"soft\">after</span> <span class=\"kept\">blue</span>",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert_eq!(page.text.matches(&format!("<code>company/{group}</code>")).count(), 4, "created, renamed, left, deleted: {}", page.text);
    let page = reader.get("/auth/audit?type=identity&id=company%2F1234").await;
    assert!(page.text.contains("Active in the directory") && page.text.contains("<code>company/1234</code>"), "{}", page.text);
    assert!(!page.text.contains("href=\"/auth/people?id=company"), "there is no such person: {}", page.text);
    // Whoever may see what a directory did sees that it did, and nobody's name.
    let mut doings = company.site.somebody("doings", &[&format!("auth:client-audit-history:{by}")]).await;
    let page = doings.get("/auth/audit?actor=falconer%2Fscim%2Fcompany").await;
    assert!(page.text.contains("<b>directory-deleted</b>") && !page.text.contains("1234@example.com"), "{}", page.text);
}

/// The same of somebody who has signed in: what the directory said, and what it made of the person.
#[tokio::test]
async fn what_was_pushed_and_what_it_made_are_in_one_history() {
    let company = company().await;
    let ann = company.push("1234").await;
    company.sign_in("1234").await;
    let off = patch(json!([{"op": "replace", "path": "active", "value": false}]));
    company.ok(Method::PATCH, &format!("/Users/{ann}"), Some(off), 200).await;
    let rows = of_person(&company, "company/1234").await;
    let actions: Vec<&str> = rows.iter().map(|(_, action, _)| action.as_str()).collect();
    assert_eq!(actions.first(), Some(&"directory-created"), "{actions:?}");
    assert_eq!(actions[actions.len() - 2..], ["directory-updated", "gone"], "{actions:?}");
}
