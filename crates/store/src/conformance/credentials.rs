//! What people sign in to local accounts with.

use std::pin::Pin;
use std::sync::Arc;

use super::samples::{HASH, NOW, account, decided, identity, step, texts};
use crate::conformance::at_once::at_once;
use crate::{
    AccountRecord, AuditStart, CredentialsChange, CredentialsCount, CredentialsRecord, IdentityRecord, PasskeyRecord, RecoveryCodeRecord,
    Result, Revision, Step, Store, StoreError,
};

/// Ann with a password, and Bob without one.
async fn ann_and_bob(s: &dyn Store) {
    s.insert_account(&step(s, "x").await, &account("ann"), &identity("local/ann"), HASH).await.unwrap();
    s.insert_account(&step(s, "x").await, &account("bob"), &identity("local/bob"), None).await.unwrap();
}

fn passkey(id: &str, account: &str) -> PasskeyRecord {
    PasskeyRecord {
        id: id.into(),
        account: account.into(),
        public_key: vec![0xa5, 0, 255],
        counter: 7,
        transports: texts(&["internal", "hybrid"]),
        aaguid: "0".repeat(32),
        resident: true,
        label: "Ω key".into(),
        created_ms: NOW,
        last_used_ms: None,
        user_handle: Some("handle".into()),
    }
}

fn codes(account: &str, count: usize) -> Vec<RecoveryCodeRecord> {
    let code = |n| RecoveryCodeRecord { id: format!("{account}/{n}"), hash: format!("hash {n}"), created_ms: NOW, used_ms: None };
    (0..count).map(code).collect()
}

fn set(hash: Option<&str>, instead_of: Option<&str>) -> CredentialsChange {
    CredentialsChange::SetPassword { hash: hash.map(str::to_owned), instead_of: instead_of.map(str::to_owned) }
}

async fn change(s: &dyn Store, account: &str, change: CredentialsChange) -> Result<Revision> {
    s.change_credentials(&step(s, "changed").await, account, change).await
}

pub(super) async fn a_password_comes_and_goes(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    let of = async |account: &str| s.credentials(account).await.unwrap().password_hash;
    assert_eq!((of("ann").await.as_deref(), of("bob").await), (HASH, None));
    assert_eq!(s.credentials("nobody").await.unwrap(), CredentialsRecord { account: "nobody".into(), ..Default::default() });
    assert_eq!(change(s, "bob", set(Some("b"), None)).await, Ok(Revision(3)));
    assert_eq!(change(s, "ann", set(None, None)).await, Ok(Revision(4)));
    assert_eq!((of("ann").await, of("bob").await.as_deref()), (None, Some("b")));
    assert_eq!(change(s, "nobody", set(Some("n"), None)).await, Err(StoreError::Conflict));
    assert_eq!(s.changes_since(Revision(2), 10).await.unwrap(), [], "no node keeps them");
    let row = s.entity_history("account", "bob", AuditStart::Offset(1), 10).await.unwrap().remove(0);
    assert_eq!((row.action.as_str(), row.revision), ("changed", Revision(3)));
    let count = |account: &str, has_password| CredentialsCount { account: account.into(), has_password, passkeys: 0, recovery_codes: 0 };
    assert_eq!(s.credentials_counts().await.unwrap(), [count("ann", false), count("bob", true)]);
}

pub(super) async fn a_password_is_replaced_only_where_it_is_the_one_that_was_proven(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    assert_eq!(change(s, "ann", set(Some("2"), Some("1"))).await, Err(StoreError::Conflict));
    assert_eq!(change(s, "bob", set(Some("2"), HASH)).await, Err(StoreError::Conflict));
    assert_eq!(s.revision().await, Ok(Revision(2)), "a conflict leaves nothing");
    change(s, "ann", set(Some("2"), HASH)).await.unwrap();
    assert_eq!(change(s, "ann", set(Some("3"), HASH)).await, Err(StoreError::Conflict));
    assert_eq!(s.credentials("ann").await.unwrap().password_hash.as_deref(), Some("2"));
}

pub(super) async fn passkeys_come_back_as_they_were(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    let (first, second) =
        (passkey("k1", "ann"), PasskeyRecord { created_ms: NOW + 1, resident: false, user_handle: None, ..passkey("k0", "ann") });
    for passkey in [&first, &second] {
        change(s, "ann", CredentialsChange::AddPasskey(passkey.clone())).await.unwrap();
    }
    assert_eq!(s.credentials("ann").await.unwrap().passkeys, [first.clone(), second.clone()]);
    assert_eq!(s.passkey("k0").await, Ok(Some(second.clone())));
    assert_eq!(s.passkey("K0").await, Ok(None));
    let rename = |id: &str| CredentialsChange::RenamePasskey { id: id.into(), label: "new".into() };
    change(s, "ann", rename("k0")).await.unwrap();
    assert_eq!(s.passkey("k0").await, Ok(Some(PasskeyRecord { label: "new".into(), ..second })));
    assert_eq!(change(s, "ann", rename("k9")).await, Err(StoreError::Conflict));
    assert_eq!(change(s, "bob", rename("k0")).await, Err(StoreError::Conflict), "somebody else's");
    assert_eq!(s.credentials_counts().await.unwrap()[0].passkeys, 2);
    assert_eq!(s.credentials("bob").await.unwrap().passkeys, []);
}

pub(super) async fn a_passkey_has_one_owner(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    change(s, "ann", CredentialsChange::AddPasskey(passkey("k", "ann"))).await.unwrap();
    for account in ["ann", "bob"] {
        let replacement = PasskeyRecord { public_key: vec![1], ..passkey("k", account) };
        assert_eq!(change(s, account, CredentialsChange::AddPasskey(replacement)).await, Err(StoreError::Conflict));
    }
    assert_eq!(s.passkey("k").await, Ok(Some(passkey("k", "ann"))));
}

pub(super) async fn the_last_way_in_stays(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    let remove = |id: &str, keep_a_way_in| CredentialsChange::RemovePasskey { id: id.into(), keep_a_way_in };
    for (id, account) in [("a", "ann"), ("b1", "bob"), ("b2", "bob")] {
        change(s, account, CredentialsChange::AddPasskey(passkey(id, account))).await.unwrap();
    }
    assert_eq!(change(s, "bob", remove("a", true)).await, Err(StoreError::Conflict), "somebody else's");
    change(s, "ann", remove("a", true)).await.unwrap();
    change(s, "bob", remove("b1", true)).await.unwrap();
    assert_eq!(change(s, "bob", remove("b2", true)).await, Err(StoreError::Conflict), "bob has no password");
    assert!(s.passkey("b2").await.unwrap().is_some());
    change(s, "bob", remove("b2", false)).await.unwrap();
    assert_eq!(s.passkey("b2").await, Ok(None));
}

pub(super) async fn a_counter_never_goes_back(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    let uncounted = PasskeyRecord { counter: 0, ..passkey("u", "ann") };
    for passkey in [passkey("k", "ann"), uncounted] {
        change(s, "ann", CredentialsChange::AddPasskey(passkey)).await.unwrap();
    }
    let before = s.revision().await;
    for (id, counter, counts) in [("k", 7, false), ("k", 6, false), ("k", 0, false), ("k", 8, true), ("k", 8, false), ("k", u32::MAX, true)]
    {
        assert_eq!(s.note_passkey_use(id, counter, NOW + i64::from(counter % 100)).await, Ok(counts), "{counter}");
    }
    for (counter, counts) in [(0, true), (0, true), (1, true), (0, false)] {
        assert_eq!(s.note_passkey_use("u", counter, NOW + 9).await, Ok(counts), "{counter}");
    }
    assert_eq!(s.note_passkey_use("gone", 9, NOW).await, Ok(false));
    let kept = s.passkey("k").await.unwrap().unwrap();
    assert_eq!((kept.counter, kept.last_used_ms), (u32::MAX, Some(NOW + 95)));
    // A clock that was ahead does not take the last use back.
    assert_eq!(s.note_passkey_use("u", 2, NOW).await, Ok(true));
    assert_eq!(s.passkey("u").await.unwrap().unwrap().last_used_ms, Some(NOW + 9));
    assert_eq!(s.revision().await, before);
}

pub(super) async fn of_many_uses_of_one_counter_one_counts(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    change(s, "ann", CredentialsChange::AddPasskey(passkey("k", "ann"))).await.unwrap();
    let mut tries: Vec<Pin<Box<dyn Future<Output = Result<bool>> + Send + '_>>> = Vec::new();
    for _ in 0..8 {
        tries.push(Box::pin(s.note_passkey_use("k", 8, NOW)));
    }
    let outcomes = at_once(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Ok(true)).count(), 1);
}

pub(super) async fn a_recovery_code_works_once(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    change(s, "ann", CredentialsChange::ReplaceRecoveryCodes(codes("ann", 12))).await.unwrap();
    assert_eq!(s.credentials("ann").await.unwrap().recovery_codes, codes("ann", 12), "in their order");
    let use_up = |id: &str| CredentialsChange::UseRecoveryCode(id.into());
    assert_eq!(change(s, "bob", use_up("ann/3")).await, Err(StoreError::Conflict), "somebody else's");
    let mut tries: Vec<Pin<Box<dyn Future<Output = Result<Revision>> + Send + '_>>> = Vec::new();
    for _ in 0..8 {
        tries.push(Box::pin(async move {
            let step = Step { at_ms: NOW + 5, ..decided(s.revision().await.unwrap(), &[], "used") };
            s.change_credentials(&step, "ann", CredentialsChange::UseRecoveryCode("ann/3".into())).await
        }));
    }
    assert_eq!(at_once(tries).await.iter().filter(|outcome| outcome.is_ok()).count(), 1, "once");
    let kept = s.credentials("ann").await.unwrap().recovery_codes;
    assert_eq!((kept[3].used_ms, kept.iter().filter(|code| code.used_ms.is_none()).count()), (Some(NOW + 5), 11));
    assert_eq!(s.credentials_counts().await.unwrap()[0].recovery_codes, 11);
    let remove = CredentialsChange::RemoveRecoveryCode("ann/4".into());
    assert_eq!(change(s, "bob", remove.clone()).await, Err(StoreError::Conflict));
    change(s, "ann", remove.clone()).await.unwrap();
    assert_eq!(change(s, "ann", remove).await, Err(StoreError::Conflict));
    // New ones take the place of all before.
    change(s, "ann", CredentialsChange::ReplaceRecoveryCodes(codes("ann", 2))).await.unwrap();
    assert_eq!(s.credentials("ann").await.unwrap().recovery_codes, codes("ann", 2));
}

pub(super) async fn credentials_end_with_their_account(store: Arc<dyn Store>) {
    let s = &*store;
    ann_and_bob(s).await;
    for name in ["ann", "bob"] {
        change(s, name, CredentialsChange::AddPasskey(passkey(name, name))).await.unwrap();
        change(s, name, CredentialsChange::ReplaceRecoveryCodes(codes(name, 1))).await.unwrap();
    }
    // One that is only stopped keeps them.
    let stopped = AccountRecord { disabled: true, ..account("ann") };
    s.update_account(&step(s, "x").await, &stopped, &identity("local/ann"), &[]).await.unwrap();
    assert_eq!(s.credentials("ann").await.unwrap().passkeys.len(), 1);
    let gone = IdentityRecord { disabled: true, ..identity("local/ann") };
    s.update_account(&step(s, "x").await, &AccountRecord { deleted: true, ..stopped }, &gone, &[]).await.unwrap();
    assert_eq!(s.credentials("ann").await.unwrap(), CredentialsRecord { account: "ann".into(), ..Default::default() });
    assert_eq!(s.passkey("ann").await, Ok(None));
    assert_eq!(change(s, "ann", set(Some("anew"), None)).await, Err(StoreError::Conflict));
    assert_eq!(s.credentials("bob").await.unwrap().passkeys.len(), 1);
}
