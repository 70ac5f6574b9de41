//! Clients.

use std::sync::Arc;

use super::samples::{NOW, client, decided, identity, revoked, role, step, texts};
use crate::{AuditStart, ClientRecord, Key, OldToken, Revision, Secret, Step, Store, StoreError};

pub(super) async fn a_client_comes_back_as_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let plain = client("a/b");
    let odd = ClientRecord {
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
        grant: Some("g1".into()),
        revoked: revoked(),
        old_token: Some(OldToken { token: Secret::new("old"), ends_ms: i64::MIN }),
    };
    for record in [&plain, &odd] {
        s.insert_client(&step(s, "x").await, record).await.unwrap();
        assert_eq!(s.client(&record.client_id).await.unwrap().as_ref(), Some(record));
    }
    assert_eq!(s.load().await.unwrap().clients, [plain.clone(), odd.clone()]);
    let changed = ClientRecord { client_id: plain.client_id.clone(), last_date_used_ms: NOW + 1, ..odd };
    s.update_client(&step(s, "x").await, &changed).await.unwrap();
    assert_eq!(s.client("a/b").await.unwrap(), Some(changed));
    assert_eq!(s.client("a/").await.unwrap(), None);
    assert_eq!(s.client("A/B").await.unwrap(), None);
}

pub(super) async fn a_client_id_is_taken_once(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    let other = ClientRecord { description: "other".into(), ..client("a") };
    assert_eq!(s.insert_client(&step(s, "x").await, &other).await, Err(StoreError::Conflict));
    assert_eq!(s.client("a").await.unwrap(), Some(client("a")));
}

pub(super) async fn an_old_token_ends_with_a_client_that_is_disabled(store: Arc<dyn Store>) {
    let s = &*store;
    let with_old = |client_id: &str| {
        let old_token = Some(OldToken { token: Secret::new("old"), ends_ms: NOW });
        ClientRecord { old_token, ..client(client_id) }
    };
    for id in ["a", "b"] {
        s.insert_client(&step(s, "x").await, &with_old(id)).await.unwrap();
    }
    s.follow_identity(&step(s, "x").await, &identity("local/ann"), &texts(&["a"])).await.unwrap();
    assert_eq!(s.client("a").await.unwrap(), Some(ClientRecord { disabled: true, ..client("a") }));
    assert_eq!(s.client("b").await.unwrap(), Some(with_old("b")));
    s.update_client(&step(s, "x").await, &client("b")).await.unwrap();
    assert_eq!(s.client("b").await.unwrap(), Some(client("b")));
    assert_eq!(s.load().await.unwrap().clients, [ClientRecord { disabled: true, ..client("a") }, client("b")]);
}

pub(super) async fn updating_what_is_gone_is_a_conflict(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.delete_client(&step(s, "x").await, "a").await.unwrap();
    assert_eq!(s.update_client(&step(s, "x").await, &client("a")).await, Err(StoreError::Conflict));
    assert_eq!(s.client("a").await.unwrap(), None);
}

pub(super) async fn the_last_use_never_goes_back(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    let revision = s.revision().await.unwrap();
    let used = async || s.client("a").await.unwrap().unwrap().last_date_used_ms;
    s.note_uses(&[("a".into(), NOW + 10), ("gone".into(), NOW)], &[]).await.unwrap();
    assert_eq!(used().await, NOW + 10);
    s.note_uses(&[("a".into(), NOW + 9)], &[]).await.unwrap();
    assert_eq!(used().await, NOW + 10);
    assert_eq!(s.revision().await, Ok(revision), "a use takes no revision");
    s.update_client(&step(s, "x").await, &client("a")).await.unwrap();
    assert_eq!(used().await, NOW + 10, "a record that was read before the use");
}

pub(super) async fn deleting_a_client_twice_leaves_two_audit_rows(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    assert_eq!(s.delete_client(&step(s, "deleted").await, "a").await, Ok(Revision(2)));
    assert_eq!(s.client("a").await.unwrap(), None);
    assert_eq!(s.delete_client(&step(s, "deleted").await, "a").await, Ok(Revision(2)));
    let rows = s.entity_history("client", "a", AuditStart::Offset(1), 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(), ["deleted", "deleted"]);
    assert_eq!(s.changes_since(Revision(0), 10).await.unwrap().len(), 2);
}

pub(super) async fn a_repeat_is_audited_and_changes_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "created").await, &client("a")).await.unwrap();
    assert_eq!(s.note_repeat(&step(s, "repeated").await, "client", "a").await, Ok(Revision(1)));
    let rows = s.entity_history("client", "a", AuditStart::Offset(0), 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.revision.0, row.action.as_str())).collect::<Vec<_>>(), [(1, "created"), (1, "repeated")]);
    assert!(s.grant_history("g", "client", 10).await.unwrap().is_empty());
    let with_grant = Step { grant: Some("g".to_owned()), ..step(s, "repeated with a grant").await };
    s.note_repeat(&with_grant, "client", "a").await.unwrap();
    let rows = s.grant_history("g", "client", 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(), ["repeated with a grant"]);
    assert!(s.grant_history("g", "role", 10).await.unwrap().is_empty());
    assert_eq!(s.changes_since(Revision(0), 10).await.unwrap().len(), 1);
}

pub(super) async fn a_stale_repeat_is_refused(store: Arc<dyn Store>) {
    let s = &*store;
    let before = s.revision().await.unwrap();
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    let late = decided(before, &[Key::Role], "repeated");
    assert_eq!(s.note_repeat(&late, "client", "a").await, Err(StoreError::Stale));
    assert!(s.entity_history("client", "a", AuditStart::Offset(0), 10).await.unwrap().is_empty());
}

pub(super) async fn static_clients_follow_the_list(store: Arc<dyn Store>) {
    let s = &*store;
    let outside = ["aaa", "static", "static-x/a", "static/falconer/root", "static0", "zzz"];
    for id in outside {
        s.insert_client(&step(s, "x").await, &client(id)).await.unwrap();
    }
    for id in ["static/falconer", "static/gone", "static/kept", "static/scopes", "static/token"] {
        s.insert_client(&step(s, "x").await, &client(id)).await.unwrap();
    }
    s.note_uses(&[("static/scopes".into(), NOW + 50)], &[]).await.unwrap();
    let later = |record: ClientRecord| ClientRecord {
        created_ms: NOW + 99,
        last_modified_ms: NOW + 99,
        last_date_used_ms: NOW + 1,
        last_rotated_ms: NOW + 99,
        ..record
    };
    let list = [
        later(client("static/new")),
        later(client("static/kept")),
        later(ClientRecord { scopes: texts(&["other"]), ..client("static/scopes") }),
        later(ClientRecord { access_token: Secret::new("other"), ..client("static/token") }),
    ];
    let before = s.revision().await.unwrap();
    let after = s.replace_static_clients(&step(s, "synchronised").await, &list).await.unwrap();
    assert_eq!(after, Revision(before.0 + 1));

    for id in outside {
        assert_eq!(s.client(id).await.unwrap(), Some(client(id)));
    }
    assert_eq!(s.client("static/falconer").await.unwrap(), None);
    assert_eq!(s.client("static/gone").await.unwrap(), None);
    assert_eq!(s.client("static/kept").await.unwrap(), Some(client("static/kept")));
    assert_eq!(s.client("static/new").await.unwrap(), Some(list[0].clone()));
    let kept = ClientRecord { created_ms: NOW, last_date_used_ms: NOW + 50, last_rotated_ms: NOW, ..list[2].clone() };
    assert_eq!(s.client("static/scopes").await.unwrap(), Some(kept));
    let rotated = ClientRecord { created_ms: NOW, last_date_used_ms: NOW, ..list[3].clone() };
    assert_eq!(s.client("static/token").await.unwrap(), Some(rotated));

    let mut changed: Vec<String> = s.changes_since(before, 100).await.unwrap().into_iter().map(|change| change.key).collect();
    changed.sort();
    assert_eq!(changed, ["static/falconer", "static/gone", "static/new", "static/scopes", "static/token"]);
    for id in &changed {
        let rows = s.entity_history("client", id, AuditStart::Offset(0), 10).await.unwrap();
        let last = rows.last().unwrap();
        assert_eq!((last.action.as_str(), last.revision), ("synchronised", after));
    }
    assert_eq!(s.entity_history("client", "static/kept", AuditStart::Offset(0), 10).await.unwrap().len(), 1);
}

pub(super) async fn an_equal_list_of_static_clients_changes_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    let list = [client("static/a"), client("static/b")];
    assert_eq!(s.replace_static_clients(&step(s, "x").await, &list).await, Ok(Revision(1)));
    assert_eq!(s.replace_static_clients(&step(s, "x").await, &list).await, Ok(Revision(1)));
    assert_eq!(s.actor_history("suite/actor", AuditStart::Offset(0), 10).await.unwrap().len(), 2);
    assert_eq!(s.replace_static_clients(&step(s, "x").await, &[]).await, Ok(Revision(2)));
    assert!(s.load().await.unwrap().clients.is_empty());
}

pub(super) async fn a_list_beyond_static_is_refused_whole(store: Arc<dyn Store>) {
    let s = &*store;
    for bad in [client("dynamic"), client("static/falconer/root"), client("static/a")] {
        let outcome = s.replace_static_clients(&step(s, "x").await, &[client("static/a"), bad]).await;
        assert_eq!(outcome, Err(StoreError::Conflict));
    }
    assert!(s.load().await.unwrap().clients.is_empty());
}

pub(super) async fn clients_load_in_order_of_bytes(store: Arc<dyn Store>) {
    let s = &*store;
    for id in ["b", "a/b", "Z", "a-b", "a", "~", "A"] {
        s.insert_client(&step(s, "x").await, &client(id)).await.unwrap();
    }
    let ids = async || s.load().await.unwrap().clients.into_iter().map(|client| client.client_id).collect::<Vec<_>>();
    assert_eq!(ids().await, ["A", "Z", "a", "a-b", "a/b", "b", "~"]);
    // Also where they differ behind what an index holds of them: a store may read them by its beginning.
    let long = |character: &str, length, end: &str| format!("{}{end}", character.repeat(length));
    let longs = [
        ("c", 255, ""),
        ("c", 256, ""),
        ("c", 255, "d"),
        ("c", 3000, "a"),
        ("c", 3000, "B"),
        ("\u{e9}", 256, "~"),
        ("\u{e9}", 256, "\u{fc}"),
        ("\u{1f511}", 300, ""),
    ];
    let mut expected = ids().await;
    for (character, length, end) in longs {
        expected.push(long(character, length, end));
        s.insert_client(&step(s, "x").await, &client(&long(character, length, end))).await.unwrap();
    }
    expected.sort_unstable();
    assert_eq!(ids().await, expected);
}
