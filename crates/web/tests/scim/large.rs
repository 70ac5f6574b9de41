//! Groups with many members: what is answered to a change of one of them, and how concurrent changes end.

use falconer_login::{MOST_MEMBERS_ANSWERED, ScimBounds, ScimRecord};
use falconer_store::conformance::{scim_push, scim_user};
use falconer_store::{ScimWritten, Store as _};
use http::Method;
use serde_json::{Value, json};

use crate::company::{COMPANY, Company, bounded_company, company, group_body, user_body};
use crate::patch;

/// Users who were pushed earlier.
async fn users(company: &Company, count: u32) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let user = ScimRecord { created_ms: i64::from(number), ..scim_user(&format!("user-{number}")) };
        assert_eq!(company.site.store.insert_scim(&scim_push(), &user, ScimBounds::default()).await.unwrap(), ScimWritten::Done);
        ids.push(user.id);
    }
    ids
}

fn one(op: &str, id: &str) -> Value {
    patch(json!([{"op": op, "path": "members", "value": [{"value": id}]}]))
}

/// Story: a change of one member of 10,000 read, compared and sent all of them.
#[tokio::test]
async fn a_large_group_is_not_sent_with_each_change_of_a_member() {
    let company = company().await;
    let ids = users(&company, MOST_MEMBERS_ANSWERED + 2).await;
    let [members @ .., last] = ids.as_slice() else { panic!("there are some") };
    let refs: Vec<&str> = members.iter().map(String::as_str).collect();
    let group = company.push_group("all", &refs).await;
    let at = format!("/Groups/{group}");
    let added = company.send(COMPANY, Method::PATCH, &at, Some(one("add", last)), &[]).await;
    assert_eq!((added.status.as_u16(), added.header("etag"), added.text.as_str()), (204, "W/\"2\"", ""));
    let answer = company.ok(Method::PATCH, &format!("{at}?attributes=members"), Some(one("remove", last)), 200).await;
    assert_eq!((answer["members"].as_array().unwrap().len(), answer["meta"].clone()), (members.len(), Value::Null));
    let without = company.ok(Method::PATCH, &format!("{at}?excludedAttributes=members"), Some(one("add", last)), 200).await;
    assert_eq!((without.get("members"), without["meta"]["version"].clone()), (None, json!("W/\"4\"")));
    let read = company.get(&format!("{at}?excludedAttributes=members")).await;
    assert_eq!((read.get("members"), read["displayName"].clone(), read["meta"]["version"].clone()), (None, json!("all"), json!("W/\"4\"")));
    let renamed = patch(json!([{"op": "replace", "path": "displayName", "value": "all"}]));
    assert_eq!(company.send(COMPANY, Method::PATCH, &at, Some(renamed), &[]).await.status, 204, "a new name is no reason to send them all");
    // Nothing new is no change; what is refused is none either.
    assert_eq!(company.send(COMPANY, Method::PATCH, &at, Some(one("Add", last)), &[]).await.header("etag"), "W/\"4\"");
    let stale = company.send(COMPANY, Method::PATCH, &at, Some(one("Remove", last)), &[("if-match", "W/\"3\"")]).await;
    assert_eq!(stale.status, 412);
    let both = patch(json!([
        {"op": "remove", "path": format!("members[value eq \"{last}\"]")},
        {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
    ]));
    assert_eq!(company.ok(Method::PATCH, &at, Some(both), 400).await["scimType"], "invalidValue");
    assert_eq!(company.get(&at).await["members"].as_array().unwrap().len(), ids.len());
    // The last word on somebody counts.
    let words = patch(json!([
        {"op": "remove", "path": "members", "value": [{"value": last}, {"value": ids[0]}]},
        {"op": "add", "path": "members", "value": {"value": last}},
        {"op": "add", "path": "members", "value": {"value": "nobody"}},
        {"op": "remove", "path": "members", "value": {"value": "nobody"}},
    ]));
    assert_eq!(company.send(COMPANY, Method::PATCH, &at, Some(words), &[]).await.status, 204);
    let left = company.get(&at).await;
    let left: Vec<&str> = left["members"].as_array().unwrap().iter().filter_map(|member| member["value"].as_str()).collect();
    assert!(left.contains(&last.as_str()) && !left.contains(&ids[0].as_str()) && !left.contains(&"nobody"));
    // The whole of it is answered with the whole.
    let whole = company.ok(Method::PUT, &at, Some(group_body("all", &refs)), 200).await;
    assert_eq!(whole["members"].as_array().unwrap().len(), members.len());
}

/// Story: each of many changes of one group at once read the group, found it changed by another one, and some gave up after eight times.
#[tokio::test]
async fn changes_of_members_at_once_all_count() {
    let company = company().await;
    let ids = users(&company, 40).await;
    let group = company.push_group("all", &[]).await;
    let at = format!("/Groups/{group}");
    let changes = ids.iter().map(|id| company.send(COMPANY, Method::PATCH, &at, Some(one("add", id)), &[]));
    for answer in futures_util::future::join_all(changes).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let present = company.get(&at).await;
    assert_eq!((present["members"].as_array().unwrap().len(), present["meta"]["version"].clone()), (40, json!("W/\"41\"")));
}

/// A directory that is too large is told so, with nothing of it written, and goes on once there is room.
#[tokio::test]
async fn a_directory_has_as_many_users_and_groups_as_are_configured() {
    let company = bounded_company(ScimBounds { users: 2, groups: 1, ..ScimBounds::default() }).await;
    let ann = company.push("1").await;
    company.push("2").await;
    company.push_group("red", &[&ann]).await;
    for (path, body) in [("/Users", user_body("3")), ("/Groups", group_body("blue", &[&ann]))] {
        let refused = company.ok(Method::POST, path, Some(body), 409).await;
        assert_eq!(
            (&refused["scimType"], refused["detail"].as_str().unwrap().contains("there would be more")),
            (&json!("tooMany"), true),
            "{refused}"
        );
    }
    // What is there can be changed, and each directory has bounds of its own.
    company.ok(Method::PUT, &format!("/Users/{ann}"), Some(user_body("1")), 200).await;
    company.as_other().push("3").await;
    assert_eq!(company.send(COMPANY, Method::DELETE, &format!("/Users/{ann}"), None, &[]).await.status, 204);
    company.push("3").await;
}

/// Nothing bounded the members of all groups together.
#[tokio::test]
async fn groups_have_as_many_members_as_are_configured() {
    let company = bounded_company(ScimBounds { group_members: 2, members: 3, ..ScimBounds::default() }).await;
    let [ann, bob, eve] = [company.push("1").await, company.push("2").await, company.push("3").await];
    let red = company.push_group("red", &[&ann, &bob]).await;
    let blue = company.push_group("blue", &[&ann]).await;
    let (red, blue) = (format!("/Groups/{red}"), format!("/Groups/{blue}"));
    for (method, path, body, said) in [
        (Method::POST, "/Groups", group_body("green", &[&ann, &bob, &eve]), "more members of the group than 2"),
        (Method::PUT, red.as_str(), group_body("red", &[&ann, &bob, &eve]), "more members of the group than 2"),
        (Method::PATCH, red.as_str(), one("add", &eve), "more members of the group than 2"),
        (Method::POST, "/Groups", group_body("green", &[&eve]), "more members of all groups together than 3"),
        (Method::PUT, blue.as_str(), group_body("blue", &[&ann, &eve]), "more members of all groups together than 3"),
        (Method::PATCH, blue.as_str(), one("add", &eve), "more members of all groups together than 3"),
    ] {
        let refused = company.ok(method, path, Some(body), 409).await;
        assert_eq!((&refused["scimType"], refused["detail"].as_str().unwrap().contains(said)), (&json!("tooMany"), true), "{refused}");
    }
    assert_eq!(company.get(&blue).await["members"].as_array().unwrap().len(), 1, "nothing of it is there");
    // Whoever goes makes room.
    assert_eq!(company.send(COMPANY, Method::DELETE, &format!("/Users/{bob}"), None, &[]).await.status, 204);
    company.ok(Method::PATCH, &blue, Some(one("add", &eve)), 200).await;
}
