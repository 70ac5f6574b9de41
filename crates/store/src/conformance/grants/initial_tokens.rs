//! What applications register themselves with, and what ends with such an application.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::applications::application;
use crate::conformance::at_once::at_once;
use crate::conformance::samples::{NOW, decided, grant, issuer, step, texts};
use crate::{
    ApplicationRecord, AuditStart, Creator, GrantRecord, GrantSecretKind, GrantSecretRecord, InitialTokenRecord, Revision, Store,
    StoreError,
};

fn token(id: &str) -> InitialTokenRecord {
    InitialTokenRecord {
        id: id.into(),
        hash: format!("hash-of-{id}"),
        description: format!("about {id}"),
        created_by: "static/root".into(),
        creator: Creator::Client,
        owner: String::new(),
        scopes: texts(&["b:*", "a:1"]),
        max_life_ms: 86_400_000,
        max_uses: 2,
        uses: 0,
        created_ms: NOW,
        expires_ms: NOW + 1000,
    }
}

pub(crate) async fn an_initial_token_comes_back_and_is_deleted(store: Arc<dyn Store>) {
    let s = &*store;
    let odd = InitialTokenRecord {
        creator: Creator::Either,
        owner: "local/ann".into(),
        scopes: vec![],
        max_life_ms: i64::MAX,
        max_uses: 0,
        uses: 7,
        ..token("Z.odd_1-")
    };
    let b = InitialTokenRecord { created_by: "local/ann".into(), creator: Creator::Person, ..token("b") };
    for one in [&b, &odd, &token("a")] {
        s.insert_initial_token(&step(s, "created").await, one).await.unwrap();
    }
    assert_eq!(s.initial_tokens().await.unwrap(), [odd.clone(), token("a"), b]);
    assert_eq!(s.initial_token("hash-of-Z.odd_1-").await.unwrap(), Some(odd));
    assert_eq!(s.initial_token("hash-of-c").await.unwrap(), None);
    assert_eq!(s.insert_initial_token(&step(s, "created").await, &token("a")).await, Err(StoreError::Conflict));
    assert_eq!(s.delete_initial_token(&step(s, "deleted").await, "a").await, Ok(Revision(4)));
    assert_eq!(s.delete_initial_token(&step(s, "deleted").await, "a").await, Ok(Revision(4)), "nothing was there");
    assert_eq!(s.initial_token("hash-of-a").await.unwrap(), None);
    assert_eq!(s.entity_history("initial-token", "a", AuditStart::Offset(0), 10).await.unwrap().len(), 3);
    // It counts for a while, and is gone afterwards.
    s.prune(NOW + 999).await.unwrap();
    assert_eq!(s.initial_tokens().await.unwrap().len(), 2);
    s.prune(NOW + 1000).await.unwrap();
    assert_eq!(s.initial_tokens().await.unwrap(), []);
}

pub(crate) async fn an_application_is_registered_with_a_token_that_counts(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_initial_token(&step(s, "created").await, &token("t")).await.unwrap();
    s.register_application(&step(s, "registered").await, &application("a"), "hash-of-t").await.unwrap();
    // One whose id is taken takes no use.
    assert_eq!(s.register_application(&step(s, "registered").await, &application("a"), "hash-of-t").await, Err(StoreError::Conflict));
    assert_eq!(s.initial_token("hash-of-t").await.unwrap().unwrap().uses, 1);
    s.register_application(&step(s, "registered").await, &application("b"), "hash-of-t").await.unwrap();
    assert_eq!(
        s.register_application(&step(s, "registered").await, &application("c"), "hash-of-t").await,
        Err(StoreError::Conflict),
        "used up"
    );
    assert_eq!(s.load().await.unwrap().applications, [application("a"), application("b")]);
    let rows = s.entity_history("initial-token", "t", AuditStart::Offset(0), 10).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.action == "registered").count(), 2);
    s.insert_initial_token(&step(s, "created").await, &token("ended")).await.unwrap();
    let late = crate::Step { at_ms: NOW + 1000, ..step(s, "registered").await };
    assert_eq!(s.register_application(&late, &application("c"), "hash-of-ended").await, Err(StoreError::Conflict));
    assert_eq!(s.register_application(&step(s, "registered").await, &application("c"), "hash-of-none").await, Err(StoreError::Conflict));
}

pub(crate) async fn of_16_uses_of_a_token_at_once_as_many_count_as_it_has(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_initial_token(&step(s, "created").await, &token("t")).await.unwrap();
    let before = s.revision().await.unwrap();
    let mut uses: Vec<Pin<Box<dyn Future<Output = bool> + Send + '_>>> = Vec::new();
    for number in 0..16 {
        let one = ApplicationRecord { id: format!("app-{number}"), ..application("x") };
        uses.push(Box::pin(async move { s.register_application(&decided(before, &[], "registered"), &one, "hash-of-t").await.is_ok() }));
    }
    assert_eq!(at_once(uses).await.into_iter().filter(|registered| *registered).count(), 2);
    assert_eq!(s.load().await.unwrap().applications.len(), 2);
}

pub(crate) async fn the_open_grants_of_an_application_are_those_made_for_it_and_those_of_its_codes_and_tokens(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_issuer(&step(s, "x").await, &issuer("grants-1")).await.unwrap();
    for (id, expires_ms) in [("open", NOW + 1000), ("ended", NOW), ("revoked", NOW + 1000), ("other", NOW + 1000)] {
        let grant = GrantRecord { expires_ms, ..grant(id, id) };
        s.insert_grant(&step(s, "x").await, &grant, None).await.unwrap();
        for kind in [GrantSecretKind::AccessToken, GrantSecretKind::RefreshToken] {
            let secret = GrantSecretRecord {
                hash: format!("{}-{id}", kind.as_str()),
                kind,
                grant: id.into(),
                application: if id == "other" { "another".into() } else { "a".into() },
                redirect_uri: String::new(),
                challenge: None,
                resources: vec![],
                jkt: None,
                expires_ms,
                kept_until_ms: expires_ms,
                used_ms: None,
            };
            s.insert_grant_secret(&secret).await.unwrap();
        }
    }
    // What is asked for and collected with credentials has neither code nor token.
    for (id, expires_ms, application) in
        [("collected", NOW + 1000, "a"), ("collected-ended", NOW, "a"), ("collected-other", NOW + 1000, "another")]
    {
        let grant = GrantRecord { expires_ms, application: Some(application.into()), ..grant(id, id) };
        s.insert_grant(&step(s, "x").await, &grant, None).await.unwrap();
    }
    s.revoke_grants(&step(s, "x").await, &["revoked".to_owned()], "x", "y").await.unwrap();
    let ids = |grants: Vec<GrantRecord>| grants.into_iter().map(|grant| grant.id).collect::<Vec<_>>();
    assert_eq!(ids(s.open_grants_for("a", NOW).await.unwrap()), ["collected", "open"]);
    assert_eq!(ids(s.open_grants_for("none", NOW).await.unwrap()), [] as [&str; 0]);
}
