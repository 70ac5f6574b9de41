//! What the history says of what directories push.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{group, insert, members, most, push, user};
use crate::conformance::samples::{NOW, client, step, texts};
use crate::{AuditEntry, AuditStart, Difference, Revision, ScimKind, ScimMembers, ScimPush, ScimRecord, ScimWritten, Store};

fn of(entity_id: &str) -> ScimPush {
    ScimPush { entity_id: entity_id.into(), ..push() }
}

async fn rows(store: &dyn Store, entity_type: &str, entity_id: &str) -> Vec<AuditEntry> {
    store.entity_history(entity_type, entity_id, AuditStart::Offset(0), 100).await.unwrap()
}

async fn actions_of(store: &dyn Store, entity_type: &str, entity_id: &str) -> Vec<(String, Value)> {
    rows(store, entity_type, entity_id).await.into_iter().map(|row| (row.action, row.detail.unwrap())).collect()
}

fn change(came: &[&str], left: &[&str]) -> ScimMembers {
    ScimMembers { directory: "company".into(), group: "g".into(), versions: None, came: texts(came), left: texts(left) }
}

/// Story: what a directory pushed of somebody who had never signed in, and of its groups, was seen nowhere afterwards.
pub(crate) async fn each_push_leaves_a_row(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "created").await, &client("a/b")).await.unwrap();
    let found = s.revision().await.unwrap();
    let (ann, team) = (of("company/ext-a"), of("company/g"));
    let profile = r#"{"emails":[{"value":"a@example.com"}]}"#;
    assert_eq!(s.insert_scim(&ann, &ScimRecord { profile: profile.into(), ..user("a") }, most(9)).await, Ok(ScimWritten::Done));
    insert(s, &user("b")).await;
    let off = ScimRecord { active: false, version: 2, modified_ms: NOW + 1, ..user("a") };
    assert_eq!(s.update_scim(&ann, &off, most(9)).await, Ok(ScimWritten::Done));
    assert_eq!(s.insert_scim(&team, &group("g", &["a"]), most(9)).await, Ok(ScimWritten::Done));
    let renamed = ScimRecord { version: 2, name: "New".into(), external_id: None, ..group("g", &["b"]) };
    assert_eq!(s.update_scim(&team, &renamed, most(9)).await, Ok(ScimWritten::Done));
    assert!(s.change_scim_members(&team, &change(&["a", "b"], &[]), members(9)).await.unwrap().is_ok());
    assert_eq!(s.delete_scim(&ann, "company", ScimKind::User, "a", None).await, Ok(ScimWritten::Done));
    assert_eq!(s.delete_scim(&team, "company", ScimKind::Group, "g", None).await, Ok(ScimWritten::Done));

    let was = |value: Value| json!({ "before": null, "after": value });
    let is_gone = |value: Value| json!({ "before": value, "after": null });
    let emails = json!([{"value": "a@example.com"}]);
    let expected = [
        (
            "directory-created",
            json!({
                "userName": was("a@Example.com".into()), "externalId": was("ext-a".into()), "displayName": was("Ann Example".into()),
                "active": was(true.into()), "emails": was(emails.clone()),
            }),
        ),
        (
            "directory-updated",
            json!({"userName": "a@Example.com", "active": {"before": true, "after": false}, "emails": {"before": emails, "after": []}}),
        ),
        (
            "directory-deleted",
            json!({
                "userName": is_gone("a@Example.com".into()), "externalId": is_gone("ext-a".into()),
                "displayName": is_gone("Ann Example".into()), "active": is_gone(false.into()), "emails": is_gone(json!([])),
                "groups": {"added": [], "removed": ["New"]},
            }),
        ),
    ];
    assert_eq!(actions_of(s, "identity", "company/ext-a").await, expected.map(|(action, detail)| (action.to_owned(), detail)));
    let expected = [
        (
            "created",
            json!({
                "displayName": was("Group g".into()), "externalId": was("ext-g".into()), "members": {"added": ["a@Example.com"], "removed": []},
            }),
        ),
        (
            "updated",
            json!({
                "displayName": {"before": "Group g", "after": "New"}, "externalId": is_gone("ext-g".into()),
                "members": {"added": ["b@Example.com"], "removed": ["a@Example.com"]},
            }),
        ),
        ("updated", json!({"displayName": "New", "members": {"added": ["a@Example.com"], "removed": []}})),
        ("deleted", json!({"displayName": is_gone("New".into()), "members": {"added": [], "removed": ["b@Example.com"]}})),
    ];
    assert_eq!(actions_of(s, "group", "company/g").await, expected.map(|(action, detail)| (action.to_owned(), detail)));

    // Who did it, when, and in the order in which it was done. A node has nothing of it in memory, so it makes no revision.
    let all = s.actor_history("falconer/scim/company", AuditStart::Offset(0), 100).await.unwrap();
    assert_eq!(all.len(), 8);
    assert!(all.is_sorted_by_key(|row| row.number) && all.iter().all(|row| row.at_ms == NOW + 7 && row.revision == found));
    assert_eq!((s.revision().await.unwrap(), s.load().await.unwrap().highest_ms), (found, NOW + 7));
    assert_ne!(found, Revision(0));
}

pub(crate) async fn what_is_refused_leaves_no_row(store: Arc<dyn Store>) {
    let s = &*store;
    insert(s, &user("a")).await;
    insert(s, &group("g", &["a"])).await;
    let other = of("company/other");
    let taken = ScimRecord { id: "b".into(), ..user("a") };
    assert_eq!(s.insert_scim(&other, &taken, most(9)).await, Ok(ScimWritten::Taken));
    assert_eq!(s.insert_scim(&other, &user("b"), most(1)).await, Ok(ScimWritten::Full));
    assert_eq!(s.insert_scim(&other, &group("h", &["nobody"]), most(9)).await, Ok(ScimWritten::NoSuchMember("nobody".into())));
    assert_eq!(s.update_scim(&other, &user("a"), most(9)).await, Ok(ScimWritten::Changed));
    assert_eq!(
        s.change_scim_members(&other, &change(&["nobody"], &[]), members(9)).await,
        Ok(Err(ScimWritten::NoSuchMember("nobody".into())))
    );
    assert!(s.change_scim_members(&other, &change(&["a"], &[]), members(9)).await.unwrap().is_ok(), "who is in it already");
    assert_eq!(s.delete_scim(&other, "company", ScimKind::User, "a", Some(7)).await, Ok(ScimWritten::Changed));
    for kind in [ScimKind::User, ScimKind::Group] {
        assert_eq!(rows(s, kind.entity_type(), "company/other").await, []);
    }
}

/// A row does not grow with the group: it names the first who came and left, and counts the rest.
pub(crate) async fn a_row_of_a_large_group_is_bounded(store: Arc<dyn Store>) {
    let s = &*store;
    let most_kept = Difference::MOST_KEPT;
    let ids: Vec<String> = (0..most_kept + 20).map(|number| format!("{number:04}")).collect();
    for id in &ids {
        assert_eq!(s.insert_scim(&push(), &user(id), most(999)).await, Ok(ScimWritten::Done));
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let push = of("company/g");
    assert_eq!(s.insert_scim(&push, &group("g", &all), most(9)).await, Ok(ScimWritten::Done));
    let swapped = change(&[], &all[1..]);
    assert!(s.change_scim_members(&push, &swapped, members(999)).await.unwrap().is_ok());
    assert!(s.change_scim_members(&push, &change(&all, &[]), members(999)).await.unwrap().is_ok());
    assert_eq!(s.delete_scim(&push, "company", ScimKind::Group, "g", None).await, Ok(ScimWritten::Done));
    let counted: Vec<_> = actions_of(s, "group", "company/g")
        .await
        .into_iter()
        .map(|(_, detail)| {
            let count = |name: &str| detail["members"][name].as_array().unwrap().len();
            (count("added"), count("removed"), detail["members"]["more"].as_u64())
        })
        .collect();
    assert_eq!(counted, [(most_kept, 0, Some(20)), (0, most_kept, Some(19)), (most_kept, 0, Some(19)), (0, most_kept, Some(20))]);
}
