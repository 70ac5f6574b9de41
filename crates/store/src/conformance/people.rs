//! People, local accounts, set-up links.

mod account_links;

pub(super) use account_links::{
    a_link_is_used_once_and_in_time, an_account_has_one_link, an_administrator_ends_sessions_with_an_audit_row,
    an_invitation_comes_with_its_account_or_not_at_all,
};

use std::sync::Arc;

use super::samples::{HASH, NOW, account, decided, identity, session, step, texts};
use crate::conformance::at_once::at_once;
use crate::{
    AccountRecord, AuditStart, ChangedRecords, IdentityRecord, KeyKind, PendingLink, PersonRecord, Revision, Step, Store, StoreError,
};

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
        username: None,
        groups: vec![],
        scopes: texts(&["x"]),
        additions: vec![],
        refreshed_ms: NOW + 1,
        disabled: true,
        gone: true,
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
    s.insert_account(&step(s, "created").await, &account("bob"), &identity("local/bob"), HASH).await.unwrap();
    let keyless = AccountRecord { email: Some("a@b.c".into()), email_within: Some(vec!["x:*".into()]), ..account("ann") };
    s.insert_account(&step(s, "created").await, &keyless, &identity("local/ann"), None).await.unwrap();
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
    assert_eq!(s.update_account(&step(s, "x").await, &old, &person, &[]).await, Err(StoreError::Conflict));
    assert_eq!(s.identity("local/ann").await, Ok(None), "neither of them");
    s.insert_account(&step(s, "x").await, &old, &person, HASH).await.unwrap();
    let changed = AccountRecord {
        display_name: "A".into(),
        email: Some("new@example.com".into()),
        groups: vec![],
        scopes: vec![],
        disabled: true,
        created_ms: NOW + 3,
        last_modified_ms: NOW + 3,
        ..old
    };
    let disabled = IdentityRecord { disabled: true, ..person };
    s.update_account(&step(s, "disabled").await, &changed, &disabled, &[]).await.unwrap();
    assert_eq!(s.account("ann").await.unwrap(), Some(AccountRecord { created_ms: NOW, ..changed }));
    assert_eq!(s.identity("local/ann").await.unwrap(), Some(disabled));
}

pub(super) async fn a_name_is_never_used_again(store: Arc<dyn Store>) {
    let s = &*store;
    let (first, person) = (account("ann"), identity("local/ann"));
    s.insert_account(&step(s, "x").await, &first, &person, HASH).await.unwrap();
    let deleted = AccountRecord { deleted: true, ..first.clone() };
    let gone = IdentityRecord { disabled: true, ..person.clone() };
    s.update_account(&step(s, "deleted").await, &deleted, &gone, &[]).await.unwrap();
    assert_eq!(s.insert_account(&step(s, "x").await, &first, &person, HASH).await, Err(StoreError::Conflict));
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
    assert_eq!(s.complete_setup(&late, "hash", &ann, &person, HASH).await, Err(StoreError::Conflict));
    assert_eq!(s.complete_setup(&step(s, "x").await, "unknown", &ann, &person, HASH).await, Err(StoreError::Conflict));
    assert_eq!(s.account("ann").await, Ok(None));
    assert_eq!(s.complete_setup(&step(s, "set-up").await, "hash", &ann, &person, HASH).await, Ok(Revision(1)));
    assert_eq!(s.account("ann").await, Ok(Some(ann)));
    assert_eq!(s.identity("local/ann").await, Ok(Some(person)));
    assert_eq!(s.setup_link_valid("hash", NOW).await, Ok(false));
    let second = s.complete_setup(&step(s, "x").await, "hash", &account("bob"), &identity("local/bob"), HASH).await;
    assert_eq!(second, Err(StoreError::Conflict));
    assert_eq!(s.setup_link_valid("later", NOW).await, Ok(true));
}

pub(super) async fn a_setup_link_outlives_a_taken_name(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_account(&step(s, "x").await, &account("ann"), &identity("local/ann"), HASH).await.unwrap();
    s.put_setup_link("hash", NOW + 10).await.unwrap();
    let taken = s.complete_setup(&step(s, "x").await, "hash", &account("ann"), &identity("local/ann"), HASH).await;
    assert_eq!(taken, Err(StoreError::Conflict));
    assert_eq!(s.setup_link_valid("hash", NOW).await, Ok(true));
    s.complete_setup(&step(s, "x").await, "hash", &account("bob"), &identity("local/bob"), HASH).await.unwrap();
}

pub(super) async fn of_many_setups_one_succeeds(store: Arc<dyn Store>) {
    let s = &*store;
    s.put_setup_link("hash", NOW + 10).await.unwrap();
    let mut tries: Vec<std::pin::Pin<Box<dyn Future<Output = crate::Result<Revision>> + Send + '_>>> = Vec::new();
    for index in 0..16 {
        tries.push(Box::pin(async move {
            let (account, identity) = (account(&format!("a{index}")), identity(&format!("local/a{index}")));
            s.complete_setup(&decided(Revision(0), &[], "x"), "hash", &account, &identity, HASH).await
        }));
    }
    let outcomes = at_once(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(s.accounts().await.unwrap().len(), 1);
}

pub(super) async fn a_new_identity_is_a_person_of_its_own(store: Arc<dyn Store>) {
    let s = &*store;
    let (ann, bob) = (identity("local/ann"), identity("oidc/bob"));
    s.insert_account(&step(s, "x").await, &account("ann"), &ann, HASH).await.unwrap();
    s.put_identity(&step(s, "x").await, &bob).await.unwrap();
    let people = [PersonRecord::of_one(&ann, NOW), PersonRecord::of_one(&bob, NOW)];
    assert_eq!(s.load().await.unwrap().people, people);
    assert_eq!(s.person(&ann.person).await.unwrap(), Some(people[0].clone()));
    assert_eq!(s.person("else").await, Ok(None));
    let changed = s.changed_records(Revision(1), 10).await.unwrap().records;
    let expected = ChangedRecords { identities: vec![bob.clone()], people: vec![people[1].clone()], ..ChangedRecords::default() };
    assert_eq!(changed, expected);
    // A provider says who somebody is, not whose they are.
    let stolen = IdentityRecord { person: ann.person.clone(), ..bob.clone() };
    s.put_identity(&step(s, "refreshed").await, &stolen).await.unwrap();
    assert_eq!(s.identity("oidc/bob").await.unwrap(), Some(bob));
    let taken = IdentityRecord { person: ann.person.clone(), ..identity("oidc/eve") };
    assert_eq!(s.put_identity(&step(s, "x").await, &taken).await, Err(StoreError::Conflict));
    assert_eq!(s.identity("oidc/eve").await, Ok(None), "neither of them");
}

/// Three people, the second with two identities.
async fn three_people(s: &dyn Store) -> [IdentityRecord; 4] {
    let [ann, bob, robert, eve] = ["local/ann", "local/bob", "oidc/bob", "local/eve"].map(identity);
    for identity in [&ann, &bob, &robert, &eve] {
        s.put_identity(&step(s, "x").await, identity).await.unwrap();
    }
    s.link_identity(&step(s, "linked").await, "oidc/bob", &robert.person, &bob.person, None).await.unwrap();
    [ann, bob.clone(), IdentityRecord { person: bob.person, ..robert }, eve]
}

pub(super) async fn linking_moves_the_identity_and_ends_the_person_that_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let [ann, bob, robert, eve] = three_people(s).await;
    let before = s.revision().await.unwrap();
    assert_eq!(s.load().await.unwrap().identities, [ann.clone(), bob.clone(), eve.clone(), robert.clone()]);
    assert_eq!(s.load().await.unwrap().people.len(), 3);
    let gone = identity("oidc/bob").person;
    let rows: Vec<_> =
        s.changes_since(Revision(4), 10).await.unwrap().into_iter().map(|row| (row.key_kind, row.key, row.what.as_str())).collect();
    let expected = [
        (KeyKind::Identity, "oidc/bob".to_owned(), "updated"),
        (KeyKind::Person, bob.person.clone(), "updated"),
        (KeyKind::Person, gone.clone(), "deleted"),
    ];
    assert_eq!(rows, expected);
    assert_eq!(s.person(&gone).await, Ok(None));
    for (kind, id) in [("identity", "oidc/bob"), ("person", &bob.person), ("person", &gone)] {
        let last = s.entity_history(kind, id, AuditStart::Offset(0), 10).await.unwrap().pop().unwrap();
        assert_eq!((last.action.as_str(), last.revision), ("linked", before), "{kind} {id}");
    }
    // Whose it is not; a person with another identity; to nobody; to itself.
    for (id, from, to) in [
        ("local/ann", &eve.person, &bob.person),
        ("oidc/bob", &bob.person, &ann.person),
        ("local/ann", &ann.person, &"nobody".to_owned()),
        ("local/ann", &ann.person, &ann.person),
        ("local/none", &ann.person, &bob.person),
    ] {
        assert_eq!(s.link_identity(&step(s, "x").await, id, from, to, None).await, Err(StoreError::Conflict), "{id}");
    }
    assert_eq!(s.revision().await, Ok(before));
}

pub(super) async fn only_what_is_pending_in_the_session_is_linked(store: Arc<dyn Store>) {
    let s = &*store;
    let [ann, bob, _, eve] = three_people(s).await;
    for id in ["h1", "h2"] {
        s.insert_session(&session(id, "local/ann")).await.unwrap();
    }
    let pending = PendingLink { session: "h1".into(), identity: "local/eve".into(), expires_ms: NOW + 1 };
    let link = async |identity: &IdentityRecord, session: &str, at_ms: i64| {
        let step = Step { at_ms, ..step(s, "linked").await };
        s.link_identity(&step, &identity.identity, &identity.person, &ann.person, Some(session)).await
    };
    assert_eq!(link(&eve, "h1", NOW).await, Err(StoreError::Conflict), "nothing is pending");
    s.put_pending_link(&PendingLink { identity: "local/bob".into(), ..pending.clone() }).await.unwrap();
    s.put_pending_link(&pending).await.unwrap();
    assert_eq!(s.pending_link("h1").await.unwrap(), Some(pending.clone()), "one in a session: the last");
    assert_eq!(s.pending_link("h2").await, Ok(None));
    assert_eq!(link(&eve, "h2", NOW).await, Err(StoreError::Conflict), "another session");
    assert_eq!(link(&bob, "h1", NOW).await, Err(StoreError::Conflict), "another identity");
    assert_eq!(link(&eve, "h1", NOW + 1).await, Err(StoreError::Conflict), "over");
    // What ends the sessions of either, or the session, ends what is pending.
    s.delete_sessions_of("local/eve", None).await.unwrap();
    assert_eq!(s.pending_link("h1").await, Ok(None), "the other identity's sessions have ended");
    s.put_pending_link(&pending).await.unwrap();
    s.delete_sessions_of("local/ann", Some("h1")).await.unwrap();
    assert!(s.pending_link("h1").await.unwrap().is_some(), "this session is left");
    s.delete_pending_link("h1").await.unwrap();
    assert_eq!(s.pending_link("h1").await, Ok(None));
    s.put_pending_link(&pending).await.unwrap();
    s.delete_session("h1").await.unwrap();
    assert_eq!(s.pending_link("h1").await, Ok(None), "the session has ended");
    s.put_pending_link(&pending).await.unwrap();
    s.prune(NOW + 1).await.unwrap();
    assert_eq!(s.pending_link("h1").await, Ok(None), "its time is over");
    s.put_pending_link(&pending).await.unwrap();
    let (eve_too, ann_s) = (&eve, &ann);
    let mut tries: Vec<std::pin::Pin<Box<dyn Future<Output = crate::Result<Revision>> + Send + '_>>> = Vec::new();
    for _ in 0..8 {
        tries.push(Box::pin(async move {
            let step = decided(s.revision().await.unwrap(), &[], "linked");
            s.link_identity(&step, &eve_too.identity, &eve_too.person, &ann_s.person, Some("h1")).await
        }));
    }
    let outcomes = at_once(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "once");
    assert_eq!(s.identity("local/eve").await.unwrap().unwrap().person, ann.person);
    assert_eq!(s.pending_link("h1").await, Ok(None));
}

pub(super) async fn unlinking_makes_a_person_anew(store: Arc<dyn Store>) {
    let s = &*store;
    let [ann, bob, robert, _] = three_people(s).await;
    let left = s.person(&bob.person).await.unwrap().unwrap();
    let alone = PersonRecord::of_one(&IdentityRecord { person: "anew".into(), ..robert.clone() }, NOW + 5);
    for (why, alone, left) in [
        ("it names the rest", PersonRecord { name: "local/bob".into(), ..alone.clone() }, left.clone()),
        ("not theirs", PersonRecord { name: "local/ann".into(), ..alone.clone() }, left.clone()),
        ("the id is taken", PersonRecord { id: ann.person.clone(), ..alone.clone() }, left.clone()),
        ("named by what is not theirs", alone.clone(), PersonRecord { name: "local/ann".into(), ..left.clone() }),
        ("nobody's", alone.clone(), PersonRecord { id: "nobody".into(), ..left.clone() }),
    ] {
        assert_eq!(s.unlink_identity(&step(s, "x").await, &alone, &left).await, Err(StoreError::Conflict), "{why}");
    }
    let revision = s.unlink_identity(&step(s, "unlinked").await, &alone, &left).await.unwrap();
    assert_eq!(s.identity("oidc/bob").await.unwrap(), Some(IdentityRecord { person: "anew".into(), ..robert }));
    assert_eq!(s.identity("local/bob").await.unwrap(), Some(bob.clone()));
    assert_eq!(s.person("anew").await.unwrap(), Some(alone));
    assert_eq!(s.person(&bob.person).await.unwrap(), Some(left));
    for (kind, id) in [("identity", "oidc/bob"), ("person", bob.person.as_str()), ("person", "anew")] {
        let last = s.entity_history(kind, id, AuditStart::Offset(0), 10).await.unwrap().pop().unwrap();
        assert_eq!((last.action.as_str(), last.revision), ("unlinked", revision), "{kind} {id}");
    }
}

pub(super) async fn a_person_is_named_by_an_identity_of_theirs(store: Arc<dyn Store>) {
    let s = &*store;
    let [ann, bob, ..] = three_people(s).await;
    let person = s.person(&bob.person).await.unwrap().unwrap();
    let renamed = PersonRecord { name: "oidc/bob".into(), disabled: true, created_ms: 1, last_modified_ms: NOW + 9, ..person.clone() };
    s.update_person(&step(s, "named").await, &renamed).await.unwrap();
    assert_eq!(s.person(&bob.person).await.unwrap(), Some(PersonRecord { created_ms: NOW, ..renamed.clone() }));
    assert_eq!(s.entity_history("person", &bob.person, AuditStart::Offset(0), 10).await.unwrap().pop().unwrap().action, "named");
    for wrong in [PersonRecord { name: ann.identity, ..renamed.clone() }, PersonRecord { id: "nobody".into(), ..renamed }] {
        assert_eq!(s.update_person(&step(s, "x").await, &wrong).await, Err(StoreError::Conflict));
    }
}
