//! Issuers and grants.

pub(super) mod applications;
mod derived;
mod devices;
mod identities;
pub(super) mod initial_tokens;
pub(super) mod logouts;
pub(super) mod scope_registries;
mod secrets;

pub(super) use derived::{
    many_are_revoked_at_once, no_more_are_derived_than_may_count, what_was_derived_is_revoked_with_its_grant,
    what_was_given_beyond_a_grant_is_revoked_with_it,
};
pub(super) use devices::{
    a_device_that_asks_too_often_has_to_wait_longer, a_request_for_more_is_found_by_whose_grant_it_is_about,
    a_request_of_a_device_comes_back_and_is_answered_once, a_request_of_a_device_is_pruned_after_it_was_said_that_it_has_ended,
    of_many_answers_and_uses_at_once_one_is_the_first,
};
pub(super) use identities::what_is_told_of_a_person_comes_back_and_goes_with_the_grant;
pub(super) use secrets::{
    a_code_comes_back_and_is_used_once, a_refresh_token_that_was_used_is_pruned, codes_are_pruned_when_nobody_needs_to_know_them,
    of_64_uses_of_a_code_at_once_one_is_the_first,
};

use std::sync::Arc;

use super::samples::{NOW, client, decided, grant, issuer, step, texts};
use crate::conformance::at_once::at_once;
use crate::{AuditStart, GrantRecord, IssuerRecord, Revision, Secret, Step, Store, StoreError};

const DAY: i64 = 86_400_000;

pub(super) async fn an_issuer_comes_back_and_retires_once(store: Arc<dyn Store>) {
    let s = &*store;
    let second = IssuerRecord { created_ms: NOW + 1, ..issuer("static/falconer/grants-10") };
    s.insert_issuer(&step(s, "x").await, &second).await.unwrap();
    let first = issuer("static/falconer/grants-9");
    s.insert_issuer(&step(s, "x").await, &first).await.unwrap();
    assert_eq!(s.load().await.unwrap().issuers, [first.clone(), second.clone()]);
    assert_eq!(s.insert_issuer(&step(s, "x").await, &first).await, Err(StoreError::Conflict));
    s.retire_issuer(&Step { at_ms: NOW + 7, ..step(s, "x").await }, &first.name).await.unwrap();
    let retired = IssuerRecord { retired_ms: Some(NOW + 7), ..first.clone() };
    assert_eq!(s.load().await.unwrap().issuers, [retired, second]);
    assert_eq!(s.retire_issuer(&step(s, "x").await, &first.name).await, Err(StoreError::Conflict));
    assert_eq!(s.retire_issuer(&step(s, "x").await, "nobody").await, Err(StoreError::Conflict));
    let replaced = IssuerRecord { token: Secret::new("another"), retired_ms: Some(NOW + 8), ..first.clone() };
    s.replace_issuer(&step(s, "x").await, &replaced).await.unwrap();
    assert!(s.load().await.unwrap().issuers.contains(&replaced), "token and end are the new ones");
    let nobody = IssuerRecord { name: "nobody".to_owned(), ..replaced };
    assert_eq!(s.replace_issuer(&step(s, "x").await, &nobody).await, Err(StoreError::Conflict));
    assert_eq!(s.client(&first.name).await, Ok(None), "an issuer is not a client");
}

pub(super) async fn a_grant_comes_back_as_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let plain = grant("g1", "n1");
    let odd = GrantRecord {
        scopes: vec![],
        everything: false,
        identity_for: vec![],
        label: "Ω'\"".into(),
        name: Some("Ω<b>".into()),
        last_used_ms: Some(NOW),
        use_count: i64::MAX,
        revoked_ms: Some(NOW + 1),
        revoked_by: Some("who".into()),
        reason: Some("why".into()),
        ..grant("g2", "n2")
    };
    for record in [&plain, &odd] {
        s.insert_grant(&step(s, "x").await, record, None).await.unwrap();
        assert_eq!(s.grant(&record.id).await.unwrap().as_ref(), Some(record));
        assert_eq!(
            s.insert_grant(&step(s, "x").await, &GrantRecord { nonce: "".into(), ..record.clone() }, None).await,
            Err(StoreError::Conflict)
        );
    }
    assert_eq!(s.load().await.unwrap().grants, [plain], "a revoked one counts no more");
    assert_eq!(s.grant("G1").await, Ok(None));
}

pub(super) async fn grants_are_listed_newest_first(store: Arc<dyn Store>) {
    let s = &*store;
    for (id, created_ms) in [("g1", NOW), ("g2", NOW + 2), ("g3", NOW + 1), ("g4", NOW + 1)] {
        s.insert_grant(&step(s, "x").await, &GrantRecord { created_ms, ..grant(id, "") }, None).await.unwrap();
    }
    let other = GrantRecord { identity: "local/bob".into(), ..grant("g5", "") };
    s.insert_grant(&step(s, "x").await, &other, None).await.unwrap();
    s.revoke_grants(&step(s, "x").await, &texts(&["g2"]), "me", "").await.unwrap();
    let ids: Vec<String> = s.grants_of("local/ann").await.unwrap().into_iter().map(|grant| grant.id).collect();
    assert_eq!((ids[0].as_str(), ids[3].as_str(), ids.len()), ("g2", "g1", 4));
    assert_eq!(s.grants_of("local/bob").await.unwrap(), [other]);
    assert!(s.grants_of("local").await.unwrap().is_empty());
}

/// Pages read all that somebody had ever granted, to show what is open or was granted last.
pub(super) async fn open_grants_and_the_last_to_a_site_are_found_alone(store: Arc<dyn Store>) {
    let s = &*store;
    let elsewhere = "https://other.example";
    for (id, created_ms, expires_ms, origin) in [
        ("g1", NOW, NOW + 10, ""),
        ("g2", NOW + 1, NOW + 5, ""),
        ("g3", NOW + 2, NOW + 10, elsewhere),
        ("g4", NOW + 3, NOW + 10, elsewhere),
        ("g5", NOW + 2, NOW + 10, ""),
    ] {
        let plain = grant(id, "");
        let target_origin = if origin.is_empty() { plain.target_origin.clone() } else { origin.to_owned() };
        s.insert_grant(&step(s, "x").await, &GrantRecord { created_ms, expires_ms, target_origin, ..plain }, None).await.unwrap();
    }
    let other = GrantRecord { identity: "local/bob".into(), ..grant("g6", "") };
    s.insert_grant(&step(s, "x").await, &other, None).await.unwrap();
    s.revoke_grants(&step(s, "x").await, &texts(&["g4"]), "me", "").await.unwrap();
    let open = async |now_ms| s.open_grants_of("local/ann", now_ms).await.unwrap().into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(open(NOW + 4).await, ["g5", "g3", "g2", "g1"], "newest first");
    assert_eq!(open(NOW + 5).await, ["g5", "g3", "g1"], "one that ends at this moment has ended");
    assert_eq!(open(NOW + 10).await, [""; 0]);
    let last = async |identity, origin| s.last_grant_to(identity, origin).await.unwrap().map(|one| one.id);
    assert_eq!(last("local/ann", elsewhere).await.as_deref(), Some("g3"), "one that was taken back is none");
    assert_eq!(last("local/ann", &other.target_origin).await.as_deref(), Some("g5"));
    assert_eq!(last("local/bob", elsewhere).await, None);
}

pub(super) async fn one_nonce_makes_one_grant(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_grant(&step(s, "x").await, &grant("g1", "n"), None).await.unwrap();
    assert_eq!(s.insert_grant(&step(s, "x").await, &grant("g2", "n"), None).await, Err(StoreError::Conflict));
    assert_eq!(s.grant_by_nonce("local/ann", "n").await.unwrap(), Some(grant("g1", "n")));
    assert_eq!(s.grant_by_nonce("local/bob", "n").await.unwrap(), None);
    assert_eq!(s.grant_by_nonce("local/ann", "other").await.unwrap(), None);
    // Somebody else's form may draw the same nonce, and grants without a form have none.
    let other = GrantRecord { identity: "local/bob".into(), ..grant("g3", "n") };
    s.insert_grant(&step(s, "x").await, &other, None).await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("g4", ""), None).await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("g5", ""), None).await.unwrap();
    s.revoke_grants(&step(s, "x").await, &texts(&["g1"]), "me", "").await.unwrap();
    assert!(s.grant_by_nonce("local/ann", "n").await.unwrap().unwrap().revoked_ms.is_some());
}

pub(super) async fn of_many_presses_one_makes_a_grant(store: Arc<dyn Store>) {
    let s = &*store;
    let mut presses: Vec<std::pin::Pin<Box<dyn Future<Output = crate::Result<Revision>> + Send + '_>>> = Vec::new();
    for press in 0..32 {
        presses
            .push(Box::pin(async move { s.insert_grant(&decided(Revision(0), &[], "x"), &grant(&format!("g{press}"), "n"), None).await }));
    }
    let outcomes = at_once(presses).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(StoreError::Conflict)).count(), 31);
    assert_eq!(s.grants_of("local/ann").await.unwrap().len(), 1);
}

pub(super) async fn a_replaced_grant_is_revoked_in_the_same_step(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_grant(&step(s, "x").await, &grant("g1", "n"), None).await.unwrap();
    let newer = GrantRecord { created_ms: NOW + 1, ..grant("g2", "n") };
    assert_eq!(s.insert_grant(&step(s, "granted").await, &newer, Some("g1")).await, Ok(Revision(2)));
    let old = s.grant("g1").await.unwrap().unwrap();
    assert_eq!((old.revoked_ms, old.revoked_by.as_deref()), (Some(NOW), Some("suite/actor")));
    assert_eq!(s.grant_by_nonce("local/ann", "n").await.unwrap().unwrap().id, "g2");
    let mut keys: Vec<String> = s.changes_since(Revision(1), 10).await.unwrap().into_iter().map(|change| change.key).collect();
    keys.sort();
    assert_eq!(keys, ["g1", "g2"]);
    assert_eq!(s.entity_history("grant", "g1", AuditStart::Offset(0), 10).await.unwrap().len(), 2);
    assert_eq!(s.entity_history("grant", "g2", AuditStart::Offset(0), 10).await.unwrap().len(), 1);
    // The old one is revoked already: it stays as it is.
    s.insert_grant(&Step { at_ms: NOW + 9, ..step(s, "x").await }, &grant("g3", "m"), Some("g1")).await.unwrap();
    assert_eq!(s.grant("g1").await.unwrap(), Some(old));
}

pub(super) async fn replacing_what_is_not_there_is_a_conflict(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.insert_grant(&step(s, "x").await, &grant("g1", "n"), Some("g0")).await, Err(StoreError::Conflict));
    assert_eq!(s.grant("g1").await, Ok(None));
    // The new one can't be written: then the old one is not revoked either.
    s.insert_grant(&step(s, "x").await, &grant("g1", "n"), None).await.unwrap();
    assert_eq!(s.insert_grant(&step(s, "x").await, &grant("g1", "m"), Some("g1")).await, Err(StoreError::Conflict));
    assert_eq!(s.grant("g1").await, Ok(Some(grant("g1", "n"))));
}

pub(super) async fn a_grant_is_revoked_once(store: Arc<dyn Store>) {
    let s = &*store;
    for id in ["g1", "g2"] {
        s.insert_grant(&step(s, "x").await, &grant(id, ""), None).await.unwrap();
    }
    s.revoke_grants(&step(s, "x").await, &texts(&["g1"]), "ann", "first").await.unwrap();
    let first = s.grant("g1").await.unwrap().unwrap();
    assert_eq!((first.revoked_ms, first.revoked_by.as_deref(), first.reason.as_deref()), (Some(NOW), Some("ann"), Some("first")));
    let later = Step { at_ms: NOW + 5, ..step(s, "revoked").await };
    assert_eq!(s.revoke_grants(&later, &texts(&["g1", "unknown", "g2"]), "bob", "second").await, Ok(Revision(4)));
    assert_eq!(s.grant("g1").await.unwrap(), Some(first));
    assert_eq!(s.grant("g2").await.unwrap().unwrap().revoked_by.as_deref(), Some("bob"));
    assert_eq!(s.entity_history("grant", "g1", AuditStart::Offset(0), 10).await.unwrap().len(), 2);
    let nothing = s.revoke_grants(&step(s, "revoked").await, &texts(&["g1", "g2"]), "bob", "third").await;
    assert_eq!(nothing, Ok(Revision(4)));
    assert_eq!(s.entity_history("grant", "g2", AuditStart::Offset(0), 10).await.unwrap().len(), 2);
}

pub(super) async fn uses_of_grants_add_up(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_grant(&step(s, "x").await, &grant("g1", ""), None).await.unwrap();
    s.note_uses(&[], &[("g1".into(), NOW + 5, 3), ("gone".into(), NOW, 1)]).await.unwrap();
    s.note_uses(&[], &[("g1".into(), NOW + 4, 2)]).await.unwrap();
    let used = s.grant("g1").await.unwrap().unwrap();
    assert_eq!((used.last_used_ms, used.use_count), (Some(NOW + 5), 5));
    assert_eq!(s.revision().await, Ok(Revision(1)), "a use takes no revision");
}

/// One of several calls at once.
type Running<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Clients and grants were touched before the row of the revision in one place, and after it in another, so that two could wait for each other.
pub(super) async fn uses_and_changes_wait_in_no_circle(store: Arc<dyn Store>) {
    let s = &*store;
    let ids: Vec<String> = (0..4).map(|n| format!("c{n}")).collect();
    for id in &ids {
        s.insert_client(&step(s, "x").await, &client(id)).await.unwrap();
        s.insert_grant(&step(s, "x").await, &grant(id, id), None).await.unwrap();
    }
    for round in 0..10 {
        let mut calls: Vec<Running<'_>> = Vec::new();
        for (id, backwards) in ids.iter().zip([false, true, false, true]) {
            let mut clients: Vec<(String, i64)> = ids.iter().map(|id| (id.clone(), NOW + round)).collect();
            let mut grants: Vec<(String, i64, i64)> = ids.iter().map(|id| (id.clone(), NOW + round, 1)).collect();
            if backwards {
                clients.reverse();
                grants.reverse();
            }
            calls.push(Box::pin(async move { s.note_uses(&clients, &grants).await.map(drop) }));
            let (change, end) = (decided(Revision(0), &[], "x"), decided(Revision(0), &[], "x"));
            calls.push(Box::pin(async move { s.update_client(&change, &client(id)).await.map(drop) }));
            calls.push(Box::pin(async move { s.revoke_grants(&end, std::slice::from_ref(id), "me", "").await.map(drop) }));
        }
        let failed: Vec<_> =
            at_once(calls).await.into_iter().filter_map(Result::err).filter(|error| *error != StoreError::Conflict).collect();
        assert_eq!(failed, []);
    }
    assert_eq!(s.grant("c0").await.unwrap().unwrap().use_count, 40);
}

/// Those of the last 31 days were loaded by a start, and forgotten right after it.
pub(super) async fn grants_that_have_ended_are_not_loaded(store: Arc<dyn Store>) {
    let s = &*store;
    let ends = [("old", NOW - 32 * DAY), ("recent", NOW - 1), ("just over", NOW), ("revoked", NOW + DAY), ("running", NOW + 1)];
    for (id, expires_ms) in ends {
        s.insert_grant(&step(s, "x").await, &GrantRecord { expires_ms, ..grant(id, "") }, None).await.unwrap();
    }
    s.revoke_grants(&step(s, "x").await, &texts(&["revoked"]), "me", "").await.unwrap();
    let loaded = s.load().await.unwrap();
    assert_eq!(loaded.highest_ms, NOW);
    assert_eq!(loaded.grants.iter().map(|grant| grant.id.as_str()).collect::<Vec<_>>(), ["running"]);
    for (id, expires_ms) in ends {
        let found = s.grant(id).await.unwrap().unwrap();
        assert_eq!((found.expires_ms, found.revoked_ms.is_some()), (expires_ms, id == "revoked"), "it can still be asked for");
    }
}

/// Rows of ended grants stayed for ever.
pub(super) async fn ended_grants_are_pruned_oldest_first_and_in_bounded_steps(store: Arc<dyn Store>) {
    let s = &*store;
    for n in 0..5 {
        let ended = GrantRecord { expires_ms: NOW + n, ..grant(&format!("g{n}"), "") };
        s.insert_grant(&step(s, "x").await, &ended, None).await.unwrap();
    }
    let before = s.revision().await.unwrap();
    assert_eq!(s.prune_grants(NOW + 3, 2).await, Ok(2));
    assert!(s.grant("g1").await.unwrap().is_none() && s.grant("g2").await.unwrap().is_some());
    assert_eq!(s.prune_grants(NOW + 3, 2).await, Ok(1));
    assert_eq!(s.prune_grants(NOW + 3, 2).await, Ok(0));
    assert_eq!(s.grants_of("local/ann").await.unwrap().len(), 2);
    assert_eq!(s.revision().await.unwrap(), before);
}
