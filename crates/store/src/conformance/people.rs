//! People, local accounts, set-up links.

use std::sync::Arc;

use super::at_once;
use super::samples::{NOW, account, decided, identity, step, texts};
use crate::{AccountRecord, AuditStart, IdentityRecord, KeyKind, Revision, Step, Store, StoreError};

pub(super) async fn an_identity_is_replaced_whole(store: Arc<dyn Store>) {
    let s = &*store;
    let first = identity("oidc/a|b/c");
    s.put_identity(&step(s, "x").await, &first).await.unwrap();
    assert_eq!(s.identity("oidc/a|b/c").await.unwrap(), Some(first.clone()));
    let second = IdentityRecord {
        provider: "other".into(),
        subject: "other".into(),
        display_name: "".into(),
        email: None,
        email_verified: false,
        groups: vec![],
        scopes: texts(&["x"]),
        refreshed_ms: NOW + 1,
        disabled: true,
        ..first
    };
    s.put_identity(&step(s, "signed-in").await, &second).await.unwrap();
    assert_eq!(s.identity("oidc/a|b/c").await.unwrap(), Some(second.clone()));
    assert_eq!(s.load().await.unwrap().identities, [second]);
    assert_eq!(s.identity("oidc").await, Ok(None));
    assert_eq!(s.entity_history("identity", "oidc/a|b/c", AuditStart::Offset(1), 10).await.unwrap()[0].action, "signed-in");
}

pub(super) async fn an_account_comes_back_with_its_person(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_account(&step(s, "created").await, &account("bob"), &identity("local/bob")).await.unwrap();
    let keyless = AccountRecord { password_hash: None, email: Some("a@b.c".into()), ..account("ann") };
    s.insert_account(&step(s, "created").await, &keyless, &identity("local/ann")).await.unwrap();
    assert_eq!(s.account("ann").await.unwrap(), Some(keyless.clone()));
    assert_eq!(s.accounts().await.unwrap(), [keyless, account("bob")]);
    assert_eq!(s.account("Ann").await.unwrap(), None);
    assert_eq!(s.identity("local/ann").await.unwrap(), Some(identity("local/ann")));
    let rows = s.entity_history("account", "ann", AuditStart::Offset(0), 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].action.as_str(), rows[0].revision), (1, "created", Revision(2)));
    let change = &s.changes_since(Revision(1), 10).await.unwrap()[0];
    assert_eq!((change.key_kind, change.key.as_str()), (KeyKind::Identity, "local/ann"));
}

pub(super) async fn an_account_changes_together_with_its_person(store: Arc<dyn Store>) {
    let s = &*store;
    let (old, person) = (account("ann"), identity("local/ann"));
    assert_eq!(s.update_account(&step(s, "x").await, &old, &person).await, Err(StoreError::Conflict));
    assert_eq!(s.identity("local/ann").await, Ok(None), "neither of them");
    s.insert_account(&step(s, "x").await, &old, &person).await.unwrap();
    let changed = AccountRecord {
        display_name: "A".into(),
        email: Some("new@example.com".into()),
        password_hash: Some("other".into()),
        groups: vec![],
        scopes: vec![],
        disabled: true,
        created_ms: NOW + 3,
        last_modified_ms: NOW + 3,
        ..old
    };
    let disabled = IdentityRecord { disabled: true, ..person };
    s.update_account(&step(s, "disabled").await, &changed, &disabled).await.unwrap();
    assert_eq!(s.account("ann").await.unwrap(), Some(AccountRecord { created_ms: NOW, ..changed }));
    assert_eq!(s.identity("local/ann").await.unwrap(), Some(disabled));
}

pub(super) async fn a_name_is_never_used_again(store: Arc<dyn Store>) {
    let s = &*store;
    let (first, person) = (account("ann"), identity("local/ann"));
    s.insert_account(&step(s, "x").await, &first, &person).await.unwrap();
    let deleted = AccountRecord { deleted: true, password_hash: None, ..first.clone() };
    let gone = IdentityRecord { disabled: true, ..person.clone() };
    s.update_account(&step(s, "deleted").await, &deleted, &gone).await.unwrap();
    assert_eq!(s.insert_account(&step(s, "x").await, &first, &person).await, Err(StoreError::Conflict));
    assert_eq!(s.account("ann").await.unwrap(), Some(deleted));
    assert_eq!(s.identity("local/ann").await.unwrap(), Some(gone));
}

pub(super) async fn a_setup_link_works_once_and_in_time(store: Arc<dyn Store>) {
    let s = &*store;
    s.put_setup_link("hash", NOW + 10).await.unwrap();
    s.put_setup_link("later", NOW + 20).await.unwrap();
    assert_eq!(s.setup_link_valid("hash", NOW + 9).await, Ok(true));
    assert_eq!(s.setup_link_valid("hash", NOW + 10).await, Ok(false));
    assert_eq!(s.setup_link_valid("HASH", NOW).await, Ok(false));
    let (ann, person) = (account("ann"), identity("local/ann"));
    let late = Step { at_ms: NOW + 10, ..step(s, "x").await };
    assert_eq!(s.complete_setup(&late, "hash", &ann, &person).await, Err(StoreError::Conflict));
    assert_eq!(s.complete_setup(&step(s, "x").await, "unknown", &ann, &person).await, Err(StoreError::Conflict));
    assert_eq!(s.account("ann").await, Ok(None));
    assert_eq!(s.complete_setup(&step(s, "set-up").await, "hash", &ann, &person).await, Ok(Revision(1)));
    assert_eq!(s.account("ann").await, Ok(Some(ann)));
    assert_eq!(s.identity("local/ann").await, Ok(Some(person)));
    assert_eq!(s.setup_link_valid("hash", NOW).await, Ok(false));
    let again = s.complete_setup(&step(s, "x").await, "hash", &account("bob"), &identity("local/bob")).await;
    assert_eq!(again, Err(StoreError::Conflict));
    assert_eq!(s.setup_link_valid("later", NOW).await, Ok(true));
}

pub(super) async fn a_setup_link_outlives_a_taken_name(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_account(&step(s, "x").await, &account("ann"), &identity("local/ann")).await.unwrap();
    s.put_setup_link("hash", NOW + 10).await.unwrap();
    let taken = s.complete_setup(&step(s, "x").await, "hash", &account("ann"), &identity("local/ann")).await;
    assert_eq!(taken, Err(StoreError::Conflict));
    assert_eq!(s.setup_link_valid("hash", NOW).await, Ok(true));
    s.complete_setup(&step(s, "x").await, "hash", &account("bob"), &identity("local/bob")).await.unwrap();
}

pub(super) async fn of_many_setups_one_succeeds(store: Arc<dyn Store>) {
    let s = &*store;
    s.put_setup_link("hash", NOW + 10).await.unwrap();
    let mut tries: Vec<std::pin::Pin<Box<dyn Future<Output = crate::Result<Revision>> + Send + '_>>> = Vec::new();
    for index in 0..16 {
        tries.push(Box::pin(async move {
            let (account, identity) = (account(&format!("a{index}")), identity(&format!("local/a{index}")));
            s.complete_setup(&decided(Revision(0), &[], "x"), "hash", &account, &identity).await
        }));
    }
    let outcomes = at_once(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(s.accounts().await.unwrap().len(), 1);
}
