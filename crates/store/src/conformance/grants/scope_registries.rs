//! What services say of their scopes.

use std::sync::Arc;

use crate::conformance::samples::{NOW, decided, step};
use crate::{AuditStart, ChangedRecords, Key, KeyKind, Revision, Risk, ScopeRegistryRecord, ScopeSentence, Store, StoreError};

fn registry(namespace: &str) -> ScopeRegistryRecord {
    let sentence = |act: &str, risk| ScopeSentence {
        template: format!("{namespace}:{act}:<book>"),
        sentence: format!("{act} \"<book>\" \\ \u{3a9}"),
        risk,
    };
    ScopeRegistryRecord {
        namespace: namespace.into(),
        scopes: vec![sentence("read", Risk::Ordinary), sentence("burn", Risk::High)],
        published_by: "services/notes".into(),
        created_ms: NOW,
        last_modified_ms: NOW,
    }
}

pub(crate) async fn what_a_service_says_of_its_scopes_comes_back_as_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let none = ScopeRegistryRecord { scopes: vec![], published_by: "local/ann".into(), last_modified_ms: i64::MAX, ..registry("Z.odd_1-") };
    for one in [&registry("b"), &none, &registry("a")] {
        s.put_scope_registry(&step(s, "published").await, one).await.unwrap();
    }
    assert_eq!(s.load().await.unwrap().scope_registries, [none.clone(), registry("a"), registry("b")]);
    let mut changed = s.changed_records(Revision(0), 10).await.unwrap().records;
    changed.scope_registries.sort_by(|one, other| one.namespace.cmp(&other.namespace));
    let scope_registries = vec![none, registry("a"), registry("b")];
    assert_eq!((changed.len(), &changed), (3, &ChangedRecords { scope_registries, ..ChangedRecords::default() }));
}

pub(crate) async fn a_registry_is_replaced_and_deleted(store: Arc<dyn Store>) {
    let s = &*store;
    s.put_scope_registry(&step(s, "published").await, &registry("a")).await.unwrap();
    s.put_scope_registry(&step(s, "published").await, &registry("b")).await.unwrap();
    let other =
        ScopeRegistryRecord { scopes: vec![], published_by: "x".into(), created_ms: NOW + 5, last_modified_ms: NOW + 5, ..registry("a") };
    assert_eq!(s.put_scope_registry(&step(s, "published").await, &other).await, Ok(Revision(3)));
    let kept = ScopeRegistryRecord { created_ms: NOW, ..other };
    assert_eq!(s.load().await.unwrap().scope_registries, [kept, registry("b")], "it was made when it was made");
    assert_eq!(s.delete_scope_registry(&step(s, "deleted").await, "a").await, Ok(Revision(4)));
    assert_eq!(s.delete_scope_registry(&step(s, "deleted").await, "a").await, Ok(Revision(4)), "nothing was there");
    assert_eq!(s.load().await.unwrap().scope_registries, [registry("b")]);
    let changed = s.changed_records(Revision(3), 10).await.unwrap().records;
    assert_eq!(changed, ChangedRecords { gone: vec![(KeyKind::ScopeRegistry, "a".into())], ..ChangedRecords::default() });
    assert_eq!(s.entity_history("scope-registry", "a", AuditStart::Offset(0), 10).await.unwrap().len(), 4);
}

/// Of two that are published at once each is decided on what is there, so that together they stay within the bounds.
pub(crate) async fn a_step_about_registries_is_stale_when_one_has_changed(store: Arc<dyn Store>) {
    let s = &*store;
    let before = s.revision().await.unwrap();
    s.put_scope_registry(&step(s, "published").await, &registry("a")).await.unwrap();
    let late = decided(before, &[Key::ScopeRegistries], "published");
    assert_eq!(s.put_scope_registry(&late, &registry("b")).await, Err(StoreError::Stale));
    let other = decided(before, &[Key::Role], "published");
    assert_eq!(s.put_scope_registry(&other, &registry("b")).await, Ok(Revision(2)));
}
