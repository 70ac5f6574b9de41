//! Roles.

use std::sync::Arc;

use super::samples::{NOW, role, step, texts};
use crate::{AuditStart, Revision, RoleRecord, Store, StoreError};

pub(super) async fn a_role_comes_back_as_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let odd = RoleRecord {
        role_id: "odd:<'\"*".into(),
        // Stored order and repeated scopes are kept: what makes a set of them is not the store's business.
        scopes: texts(&["b", "a", "b", "", "sp ace \"\\"]),
        description: "Ω".into(),
        created_ms: -5,
        last_modified_ms: i64::MAX,
    };
    s.insert_role(&step(s, "x").await, &odd).await.unwrap();
    assert_eq!(s.load().await.unwrap().roles, [odd]);
}

pub(super) async fn a_role_id_is_taken_once(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    let other = RoleRecord { description: "other".into(), ..role("r") };
    assert_eq!(s.insert_role(&step(s, "x").await, &other).await, Err(StoreError::Conflict));
    assert_eq!(s.load().await.unwrap().roles, [role("r")]);
}

pub(super) async fn roles_are_updated_and_deleted(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_roles(&step(s, "x").await, &[role("r"), role("other")]).await.unwrap();
    let changed = RoleRecord { scopes: vec![], last_modified_ms: NOW + 1, description: "new".into(), ..role("r") };
    s.update_role(&step(s, "x").await, &changed).await.unwrap();
    assert_eq!(s.load().await.unwrap().roles, [role("other"), changed.clone()]);
    assert_eq!(s.delete_role(&step(s, "deleted").await, "r").await, Ok(Revision(3)));
    assert_eq!(s.load().await.unwrap().roles, [role("other")]);
    assert_eq!(s.update_role(&step(s, "x").await, &changed).await, Err(StoreError::Conflict));
    assert_eq!(s.delete_role(&step(s, "deleted").await, "r").await, Ok(Revision(3)), "nothing was there");
    assert_eq!(s.entity_history("role", "r", AuditStart::Offset(0), 10).await.unwrap().len(), 4);
}

pub(super) async fn several_roles_come_together_or_not_at_all(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.insert_roles(&step(s, "x").await, &[role("a"), role("b")]).await, Ok(Revision(1)));
    for id in ["a", "b"] {
        assert_eq!(s.entity_history("role", id, AuditStart::Offset(0), 10).await.unwrap()[0].revision, Revision(1));
    }
    assert_eq!(s.insert_roles(&step(s, "x").await, &[role("c"), role("c")]).await, Err(StoreError::Conflict));
    assert_eq!(s.insert_roles(&step(s, "x").await, &[role("c"), role("a")]).await, Err(StoreError::Conflict));
    assert_eq!(s.load().await.unwrap().roles, [role("a"), role("b")]);
    assert!(s.entity_history("role", "c", AuditStart::Offset(0), 10).await.unwrap().is_empty());
}

/// However many are on their way at once.
pub(super) async fn many_roles_of_one_step_have_their_audit_rows_in_order(store: Arc<dyn Store>) {
    let s = &*store;
    let ids: Vec<String> = (0..100).map(|n| format!("r{}", n * 37 % 100)).collect();
    let roles: Vec<_> = ids.iter().map(|id| role(id)).collect();
    assert_eq!(s.insert_roles(&step(s, "x").await, &roles).await, Ok(Revision(1)));
    let rows = s.actor_history("suite/actor", AuditStart::Offset(0), 1000).await.unwrap();
    assert_eq!(rows.iter().map(|row| &row.entity_id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row.revision == Revision(1)));
    assert_eq!(s.changes_since(Revision(0), 1000).await.unwrap().len(), 100);
    let more: Vec<_> = ["new", "r7", "newer"].into_iter().map(role).collect();
    assert_eq!(s.insert_roles(&step(s, "x").await, &more).await, Err(StoreError::Conflict));
    assert_eq!((s.load().await.unwrap().roles.len(), s.revision().await), (100, Ok(Revision(1))), "nothing of it is left");
}

pub(super) async fn roles_load_in_order_of_bytes(store: Arc<dyn Store>) {
    let s = &*store;
    let ids = ["b", "a:b", "Z", "a*", "a", "~", "A", " "];
    s.insert_roles(&step(s, "x").await, &ids.map(role)).await.unwrap();
    let loaded: Vec<String> = s.load().await.unwrap().roles.into_iter().map(|role| role.role_id).collect();
    assert_eq!(loaded, [" ", "A", "Z", "a", "a*", "a:b", "b", "~"]);
}
