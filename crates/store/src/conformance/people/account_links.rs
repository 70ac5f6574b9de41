//! Links with which a local account gets a password, and sessions that an administrator ends.

use std::sync::Arc;

use crate::conformance::at_once::at_once;
use crate::conformance::samples::{NOW, account, decided, identity, session, step, texts};
use crate::{AccountLink, AccountLinkKind, AccountRecord, AuditStart, PendingLink, Revision, Step, Store, StoreError};

fn link(hash: &str, account: &str) -> AccountLink {
    AccountLink {
        hash: hash.into(),
        account: account.into(),
        kind: AccountLinkKind::Reset,
        by: "suite/actor".into(),
        within: Some(texts(&["auth:*", "b \"c\""])),
        password: "fingerprint".into(),
        created_ms: NOW,
        expires_ms: NOW + 10,
        mailed: true,
    }
}

pub(in crate::conformance) async fn an_invitation_comes_with_its_account_or_not_at_all(store: Arc<dyn Store>) {
    let s = &*store;
    let ann = account("ann");
    let invitation = AccountLink { kind: AccountLinkKind::Invitation, within: None, mailed: false, ..link("h1", "ann") };
    s.invite_account(&step(s, "invited").await, &ann, &identity("local/ann"), &invitation).await.unwrap();
    assert_eq!(s.account("ann").await.unwrap(), Some(ann.clone()));
    assert_eq!(s.identity("local/ann").await.unwrap(), Some(identity("local/ann")));
    assert_eq!(s.account_link("h1").await.unwrap(), Some(invitation.clone()));
    assert_eq!(s.account_link_of("ann").await.unwrap(), Some(invitation));
    let rows = s.entity_history("account", "ann", AuditStart::Offset(0), 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].action.as_str(), rows[0].revision), (1, "invited", Revision(1)));
    let second = s.invite_account(&step(s, "x").await, &ann, &identity("local/ann"), &link("h2", "ann")).await;
    assert_eq!(second, Err(StoreError::Conflict));
    assert_eq!((s.account_link("h2").await, s.account_link_of("bob").await), (Ok(None), Ok(None)));
    assert!(s.account_link("h1").await.unwrap().is_some(), "the first one is left alone");
}

pub(in crate::conformance) async fn an_account_has_one_link(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_account(&step(s, "x").await, &account("ann"), &identity("local/ann"), None).await.unwrap();
    assert_eq!(s.put_account_link(&step(s, "x").await, &link("h0", "bob")).await, Err(StoreError::Conflict));
    let at = s.revision().await.unwrap();
    assert_eq!(s.put_account_link(&step(s, "reset link made").await, &link("h1", "ann")).await, Ok(at), "it takes no revision");
    assert_eq!(s.account_link("h1").await.unwrap(), Some(link("h1", "ann")));
    s.put_account_link(&step(s, "reset link made").await, &link("h2", "ann")).await.unwrap();
    assert_eq!(s.account_link("h1").await, Ok(None));
    assert_eq!(s.account_link_of("ann").await.unwrap(), Some(link("h2", "ann")));
    let rows = s.entity_history("account", "ann", AuditStart::Offset(1), 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(), ["reset link made", "reset link made"]);
    s.prune(NOW + 9).await.unwrap();
    assert!(s.account_link("h2").await.unwrap().is_some());
    s.prune(NOW + 10).await.unwrap();
    assert_eq!(s.account_link("h2").await, Ok(None), "its time is over");
}

pub(in crate::conformance) async fn a_link_is_used_once_and_in_time(store: Arc<dyn Store>) {
    let s = &*store;
    for name in ["ann", "bob"] {
        s.insert_account(&step(s, "x").await, &account(name), &identity(&format!("local/{name}")), Some("old")).await.unwrap();
    }
    s.put_account_link(&step(s, "x").await, &link("h1", "ann")).await.unwrap();
    let late = Step { at_ms: NOW + 10, ..step(s, "x").await };
    assert_eq!(s.use_account_link(&late, "h1", "ann", "new", Some("old")).await, Err(StoreError::Conflict), "over");
    for (link, account) in [("h1", "bob"), ("h2", "ann"), ("h1", "carl")] {
        assert_eq!(
            s.use_account_link(&step(s, "x").await, link, account, "new", None).await,
            Err(StoreError::Conflict),
            "{link} of {account}"
        );
    }
    let other = s.use_account_link(&step(s, "x").await, "h1", "ann", "new", Some("another")).await;
    assert_eq!(other, Err(StoreError::Conflict), "another password by now");
    let password = async |name| s.credentials(name).await.unwrap().password_hash;
    assert_eq!((password("ann").await.as_deref(), password("bob").await.as_deref()), (Some("old"), Some("old")));
    let mut tries: Vec<std::pin::Pin<Box<dyn Future<Output = crate::Result<Revision>> + Send + '_>>> = Vec::new();
    for _ in 0..8 {
        tries.push(Box::pin(async move {
            let step = decided(s.revision().await.unwrap(), &[], "password set");
            s.use_account_link(&step, "h1", "ann", "new", Some("old")).await
        }));
    }
    let outcomes = at_once(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "once");
    assert_eq!(password("ann").await.as_deref(), Some("new"));
    assert_eq!(s.account_link("h1").await, Ok(None));
    let last = s.entity_history("account", "ann", AuditStart::Offset(0), 10).await.unwrap().pop().unwrap();
    assert_eq!(last.action, "password set");
    s.put_account_link(&step(s, "x").await, &link("h3", "bob")).await.unwrap();
    let gone = AccountRecord { deleted: true, ..account("bob") };
    s.update_account(&step(s, "deleted").await, &gone, &identity("local/bob"), &[]).await.unwrap();
    assert_eq!(s.use_account_link(&step(s, "x").await, "h3", "bob", "new", None).await, Err(StoreError::Conflict), "the account is gone");
    assert_eq!(s.put_account_link(&step(s, "x").await, &link("h4", "bob")).await, Err(StoreError::Conflict), "so it gets no link");
}

pub(in crate::conformance) async fn an_administrator_ends_sessions_with_an_audit_row(store: Arc<dyn Store>) {
    let s = &*store;
    for (hash, identity) in [("h1", "local/ann"), ("h2", "local/ann"), ("h3", "oidc/ann"), ("h4", "local/bob")] {
        s.insert_session(&session(hash, identity)).await.unwrap();
    }
    s.put_pending_link(&PendingLink { session: "h4".into(), identity: "oidc/ann".into(), expires_ms: NOW + 1 }).await.unwrap();
    s.put_identity(&step(s, "x").await, &identity("local/ann")).await.unwrap();
    let at = s.revision().await.unwrap();
    assert_eq!(s.end_sessions(&step(s, "signed out").await, &texts(&["local/ann", "oidc/ann"])).await, Ok(at));
    for (hash, is_left) in [("h1", false), ("h2", false), ("h3", false), ("h4", true)] {
        assert_eq!(s.session(hash).await.unwrap().is_some(), is_left, "{hash}");
    }
    assert_eq!(s.pending_link("h4").await, Ok(None));
    for identity in ["local/ann", "oidc/ann"] {
        let last = s.entity_history("identity", identity, AuditStart::Offset(0), 10).await.unwrap().pop().unwrap();
        assert_eq!((last.action.as_str(), last.actor.as_str()), ("signed out", "suite/actor"), "{identity}");
    }
    let stale = Step { depends_on: vec![crate::Key::Identity("local/ann".into())], ..decided(Revision(0), &[], "signed out") };
    assert_eq!(s.end_sessions(&stale, &texts(&["local/bob"])).await, Err(StoreError::Stale));
    assert!(s.session("h4").await.unwrap().is_some());
}
