//! Many records in one step.

use std::sync::Arc;

use serde_json::json;

use super::samples::{NOW, client, decided, revoked, role, step, texts};
use crate::conformance::at_once::at_once;
use crate::{AuditStart, ClientRecord, Key, KeyKind, OldToken, Revision, RoleRecord, Secret, Step, Store, StoreError};

pub(super) async fn a_batch_comes_back_as_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let odd_role = RoleRecord {
        role_id: "odd:<'\"*".into(),
        scopes: texts(&["b", "a", "b", "", "sp ace \"\\"]),
        description: "Ω".into(),
        created_ms: -5,
        last_modified_ms: i64::MAX,
    };
    let odd_client = ClientRecord {
        client_id: "odd/%_'\"\\".into(),
        description: "Ωμέγα\n\t\"'; DROP TABLE clients; --".into(),
        access_token: Secret::new(""),
        expires_us: i64::MAX,
        created_ms: i64::MIN,
        last_modified_ms: -1,
        last_date_used_ms: 0,
        last_rotated_ms: 1,
        delete_on_expiration: true,
        scopes: vec![],
        disabled: true,
        old_token: Some(OldToken { token: Secret::new("\u{1f600}"), ends_ms: i64::MAX }),
        grant: Some("g1".into()),
        revoked: revoked(),
    };
    // Not in the order in which they are loaded.
    let roles = [role("z"), odd_role.clone(), role("a")];
    let clients = [client("z"), odd_client.clone(), client("a")];
    assert_eq!(s.write_batch(&step(s, "imported").await, &roles, &clients).await, Ok(Revision(1)));
    let loaded = s.load().await.unwrap();
    assert_eq!(loaded.revision, Revision(1));
    assert_eq!(loaded.highest_ms, NOW);
    assert_eq!(loaded.roles, [role("a"), odd_role.clone(), role("z")]);
    assert_eq!(loaded.clients, [client("a"), odd_client.clone(), client("z")]);
    // Whole records: every field of what is there is replaced.
    let roles = [RoleRecord { role_id: "a".into(), ..odd_role }];
    let clients = [ClientRecord { client_id: "a".into(), last_date_used_ms: NOW + 1, ..odd_client }];
    assert_eq!(s.write_batch(&step(s, "imported").await, &roles, &clients).await, Ok(Revision(2)));
    let loaded = s.load().await.unwrap();
    assert_eq!((&loaded.roles[0], &loaded.clients[0]), (&roles[0], &clients[0]));
    assert_eq!((loaded.roles.len(), loaded.clients.len()), (3, 3));
}

pub(super) async fn a_batch_tells_what_happened_to_each_record(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("there")).await.unwrap();
    s.insert_client(&step(s, "x").await, &client("equal")).await.unwrap();
    s.insert_client(&step(s, "x").await, &client("other")).await.unwrap();
    s.insert_client(&step(s, "x").await, &client("token")).await.unwrap();
    let described = Step { grant: Some("g1".into()), detail: Some(json!({"import": true})), ..step(s, "unused").await };
    let roles = [role("new"), RoleRecord { description: "changed".into(), ..role("there") }];
    let clients = [
        client("new"),
        client("equal"),
        ClientRecord { description: "changed".into(), ..client("other") },
        ClientRecord { access_token: Secret::new("changed"), ..client("token") },
    ];
    assert_eq!(s.write_batch(&described, &roles, &clients).await, Ok(Revision(5)));

    let changes = s.changes_since(Revision(4), 100).await.unwrap();
    let changes: Vec<String> = changes
        .iter()
        .map(|change| {
            format!("{} {} {} {} {}", change.revision.0, change.key_kind.as_str(), change.key, change.what.as_str(), change.at_ms)
        })
        .collect();
    let expected = ["client new created", "client other updated", "client token updated", "role new created", "role there updated"];
    assert_eq!(changes, expected.map(|change| format!("5 {change} {NOW}")));

    let rows = s.actor_history("suite/actor", AuditStart::Offset(4), 100).await.unwrap();
    let actions: Vec<String> = rows.iter().map(|row| format!("{} {} {}", row.entity_type, row.entity_id, row.action)).collect();
    // In the order of the batch, roles first.
    let expected =
        ["role new created", "role there updated", "client new created", "client other updated", "client token access token set"];
    assert_eq!(actions, expected);
    for row in &rows {
        assert_eq!((row.revision, row.at_ms), (Revision(5), NOW));
        assert_eq!((row.grant.as_deref(), row.detail.as_ref()), (Some("g1"), described.detail.as_ref()));
    }
    assert_eq!(s.entity_history("client", "equal", AuditStart::Offset(0), 10).await.unwrap().len(), 1);
    assert_eq!(s.grant_history("g1", "role", 10).await.unwrap().len(), 2);
}

pub(super) async fn a_batch_of_what_is_there_leaves_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.write_batch(&step(s, "x").await, &[], &[]).await, Ok(Revision(0)));
    let (roles, clients) = ([role("r"), role("q")], [client("a"), client("b")]);
    assert_eq!(s.write_batch(&step(s, "x").await, &roles, &clients).await, Ok(Revision(1)));
    let later = Step { at_ms: NOW + 5, ..step(s, "x").await };
    assert_eq!(s.write_batch(&later, &roles, &clients).await, Ok(Revision(1)));
    assert_eq!(s.write_batch(&later, &[], &clients[..1]).await, Ok(Revision(1)));
    assert_eq!(s.actor_history("suite/actor", AuditStart::Offset(0), 100).await.unwrap().len(), 4);
    assert_eq!(s.changes_since(Revision(0), 100).await.unwrap().len(), 4);
    assert_eq!(s.revision().await, Ok(Revision(1)));
    assert_eq!(s.load().await.unwrap().highest_ms, NOW, "nothing was committed at the later time");
}

pub(super) async fn a_batch_never_turns_the_last_use_back(store: Arc<dyn Store>) {
    let s = &*store;
    s.write_batch(&step(s, "x").await, &[], &[client("a"), client("b")]).await.unwrap();
    s.note_uses(&[("a".into(), NOW + 10), ("b".into(), NOW + 10)], &[]).await.unwrap();
    assert_eq!(s.write_batch(&step(s, "x").await, &[], &[client("a")]).await, Ok(Revision(1)), "an earlier last use is no difference");
    let other = ClientRecord { description: "other".into(), ..client("b") };
    let later = ClientRecord { last_date_used_ms: NOW + 20, ..client("a") };
    assert_eq!(s.write_batch(&step(s, "x").await, &[], &[other.clone(), later.clone()]).await, Ok(Revision(2)));
    assert_eq!(s.client("b").await.unwrap(), Some(ClientRecord { last_date_used_ms: NOW + 10, ..other }));
    assert_eq!(s.client("a").await.unwrap(), Some(later));
}

pub(super) async fn a_stale_batch_leaves_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    let before = s.revision().await.unwrap();
    s.insert_client(&step(s, "x").await, &client("moved")).await.unwrap();
    let stale = decided(before, &[Key::Role, Key::Client("moved".into())], "x");
    assert_eq!(s.write_batch(&stale, &[role("r")], &[client("a")]).await, Err(StoreError::Stale));
    let loaded = s.load().await.unwrap();
    assert_eq!((loaded.revision, loaded.roles.len(), loaded.clients.len()), (Revision(1), 0, 1));
    assert!(s.entity_history("role", "r", AuditStart::Offset(0), 10).await.unwrap().is_empty());
    // Also when nothing would have to be written: a decision on old ground is none.
    assert_eq!(s.write_batch(&stale, &[], &[client("moved")]).await, Err(StoreError::Stale));
    let fresh = decided(before, &[Key::Role, Key::Client("a".into())], "x");
    assert_eq!(s.write_batch(&fresh, &[role("r")], &[client("a")]).await, Ok(Revision(2)));
    // What a batch wrote makes others stale, record by record.
    for key in [Key::Role, Key::Client("a".into())] {
        let late = decided(Revision(1), &[key], "x");
        assert_eq!(s.insert_client(&late, &client("late")).await, Err(StoreError::Stale));
    }
    let other = decided(Revision(1), &[Key::Client("b".into())], "x");
    assert_eq!(s.insert_client(&other, &client("b")).await, Ok(Revision(3)));
}

pub(super) async fn a_batch_that_names_a_record_twice_leaves_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    // One name for a role and a client is no repetition.
    s.write_batch(&step(s, "x").await, &[role("a")], &[client("a")]).await.unwrap();
    let other = ClientRecord { description: "other".into(), ..client("b") };
    assert_eq!(s.write_batch(&step(s, "x").await, &[], &[client("c"), client("b"), other]).await, Err(StoreError::Conflict));
    assert_eq!(s.write_batch(&step(s, "x").await, &[role("b"), role("b")], &[client("b")]).await, Err(StoreError::Conflict));
    let loaded = s.load().await.unwrap();
    assert_eq!((loaded.revision, loaded.roles.len(), loaded.clients.len()), (Revision(1), 1, 1));
    assert_eq!(s.actor_history("suite/actor", AuditStart::Offset(0), 100).await.unwrap().len(), 2);
}

pub(super) async fn batches_at_once_lose_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    let writers = 8;
    let batch = |writer: usize| (0..50).map(|index| client(&format!("w{writer}/{index}"))).collect::<Vec<_>>();
    let mut futures: Vec<std::pin::Pin<Box<dyn Future<Output = Revision> + Send + '_>>> = Vec::new();
    for writer in 0..writers {
        futures.push(Box::pin(async move {
            let mine = role(&format!("w{writer}"));
            s.write_batch(&step(s, "x").await, &[mine], &batch(writer)).await.unwrap()
        }));
    }
    let mut revisions: Vec<i64> = at_once(futures).await.into_iter().map(|revision| revision.0).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=writers as i64).collect::<Vec<_>>());
    let loaded = s.load().await.unwrap();
    assert_eq!((loaded.roles.len(), loaded.clients.len()), (writers, writers * 50));
    let changes = s.changes_since(Revision(0), 1000).await.unwrap();
    assert_eq!(changes.len(), writers * 51);
    for revision in revisions {
        let of_one: Vec<_> = changes.iter().filter(|change| change.revision.0 == revision).collect();
        assert_eq!(of_one.len(), 51);
        let role = of_one.iter().find(|change| change.key_kind == KeyKind::Role).unwrap();
        assert!(of_one.iter().all(|change| change.key.starts_with(&role.key)), "one revision is one batch");
    }
}
