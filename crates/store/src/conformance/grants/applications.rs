//! Applications, and the consent that is remembered.

use std::sync::Arc;

use crate::conformance::samples::{NOW, decided, grant, identity, issuer, step, texts};
use crate::{
    ApplicationRecord, AuditStart, ChangedRecords, ConsentRecord, GrantRecord, Key, KeyKind, RegistrationRecord, Revision,
    SigningAlgorithm, Store, StoreError,
};

pub(super) fn application(id: &str) -> ApplicationRecord {
    ApplicationRecord {
        id: id.into(),
        name: "Dashboard \u{3a9}".into(),
        description: format!("about {id}"),
        owner: "local/ann".into(),
        redirect_uris: texts(&["https://dashboard.example.com/callback", "http://127.0.0.1/"]),
        scopes: texts(&["b:*", "a:1"]),
        max_life_ms: 86_400_000,
        confidential: true,
        secret_hash: Some(format!("hash-of-{id}")),
        secret_made_ms: Some(NOW),
        old_secret_hash: None,
        old_secret_ends_ms: None,
        remember_ms: 7,
        skip_consent: false,
        pushed_only: true,
        id_token_alg: SigningAlgorithm::EdDsa,
        backchannel_logout_uri: String::new(),
        registration: None,
        dpop_bound_access_tokens: false,
        keys: Vec::new(),
        agent: false,
        created_ms: NOW,
        last_modified_ms: NOW,
    }
}

pub(crate) async fn an_application_comes_back_as_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let odd = ApplicationRecord {
        owner: String::new(),
        confidential: false,
        secret_hash: None,
        secret_made_ms: None,
        old_secret_hash: Some("old".into()),
        old_secret_ends_ms: Some(-1),
        remember_ms: 0,
        skip_consent: true,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::Rs256,
        backchannel_logout_uri: "https://a.example/out?x=\"1\"".to_owned(),
        registration: Some(RegistrationRecord {
            access_hash: "h".into(),
            initial_token: None,
            granted_ms: None,
            registered_from: Some("2001:db8::/48".into()),
        }),
        dpop_bound_access_tokens: true,
        keys: texts(&["{\"kty\":\"OKP\"}", "\u{3a9}\",b"]),
        agent: true,
        max_life_ms: i64::MAX,
        scopes: texts(&["b", "a", "b", "sp ace \"\\"]),
        ..application("Z.odd_1-")
    };
    for one in [&odd, &application("b"), &application("a")] {
        s.insert_application(&step(s, "x").await, one).await.unwrap();
    }
    assert_eq!(s.load().await.unwrap().applications, [odd.clone(), application("a"), application("b")]);
    let changed = s.changed_records(Revision(0), 10).await.unwrap();
    let applications = vec![odd, application("b"), application("a")];
    assert_eq!(changed.records, ChangedRecords { applications, ..ChangedRecords::default() });
}

pub(crate) async fn an_application_id_is_taken_once(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_application(&step(s, "x").await, &application("a")).await.unwrap();
    let other = ApplicationRecord { name: "other".into(), ..application("a") };
    assert_eq!(s.insert_application(&step(s, "x").await, &other).await, Err(StoreError::Conflict));
    assert_eq!(s.load().await.unwrap().applications, [application("a")]);
}

pub(crate) async fn applications_are_updated_and_deleted(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_application(&step(s, "x").await, &application("a")).await.unwrap();
    s.insert_application(&step(s, "x").await, &application("other")).await.unwrap();
    let changed = ApplicationRecord {
        name: "new".into(),
        description: String::new(),
        owner: "company/1".into(),
        redirect_uris: texts(&["https://other.example.com/"]),
        scopes: vec![],
        max_life_ms: 1,
        confidential: false,
        secret_hash: Some("second".into()),
        secret_made_ms: Some(NOW + 1),
        old_secret_hash: Some("first".into()),
        old_secret_ends_ms: Some(NOW + 2),
        remember_ms: 0,
        skip_consent: true,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::Es256,
        backchannel_logout_uri: "https://b.example/out".to_owned(),
        registration: Some(RegistrationRecord {
            access_hash: "i".into(),
            initial_token: Some("t".into()),
            granted_ms: Some(NOW),
            registered_from: None,
        }),
        dpop_bound_access_tokens: true,
        created_ms: NOW - 1,
        last_modified_ms: NOW + 3,
        ..application("a")
    };
    s.update_application(&step(s, "x").await, &changed).await.unwrap();
    assert_eq!(s.load().await.unwrap().applications, [changed.clone(), application("other")]);
    assert_eq!(s.delete_application(&step(s, "deleted").await, "a").await, Ok(Revision(4)));
    assert_eq!(s.load().await.unwrap().applications, [application("other")]);
    assert_eq!(s.update_application(&step(s, "x").await, &changed).await, Err(StoreError::Conflict));
    assert_eq!(s.delete_application(&step(s, "deleted").await, "a").await, Ok(Revision(4)), "nothing was there");
    assert_eq!(s.entity_history("application", "a", AuditStart::Offset(0), 10).await.unwrap().len(), 4);
    let changed = s.changed_records(Revision(3), 10).await.unwrap().records;
    assert_eq!(changed, ChangedRecords { gone: vec![(KeyKind::Application, "a".into())], ..ChangedRecords::default() });
}

pub(crate) async fn a_step_about_an_application_is_stale_when_it_has_changed(store: Arc<dyn Store>) {
    let s = &*store;
    let before = s.revision().await.unwrap();
    s.insert_application(&step(s, "x").await, &application("a")).await.unwrap();
    let stale = decided(before, &[Key::Application("a".into())], "x");
    assert_eq!(s.update_application(&stale, &application("a")).await, Err(StoreError::Stale));
    let fresh = decided(before, &[Key::Application("b".into())], "x");
    s.insert_application(&fresh, &application("b")).await.unwrap();
}

pub(crate) async fn consent_is_remembered_and_forgotten(store: Arc<dyn Store>) {
    let s = &*store;
    let consent = |identity: &str, application: &str| ConsentRecord {
        identity: identity.into(),
        application: application.into(),
        person: format!("person of {identity}"),
        redirect_uri: "https://dashboard.example.com/callback".into(),
        target_origin: "https://dashboard.example.com".into(),
        identity_scopes: texts(&["openid"]),
        basis: "b".into(),
        scopes: texts(&["b", "a"]),
        life_ms: 5,
        at_ms: NOW,
        expires_ms: NOW + 10,
    };
    for (identity, application) in [("local/ann", "b"), ("local/ann", "a"), ("local/bob", "a")] {
        s.remember_consent(&consent(identity, application)).await.unwrap();
    }
    let wider = ConsentRecord {
        scopes: texts(&["c"]),
        redirect_uri: "http://127.0.0.1/".into(),
        target_origin: "http://127.0.0.1".into(),
        identity_scopes: texts(&[]),
        basis: "c".into(),
        life_ms: 6,
        at_ms: NOW + 1,
        expires_ms: NOW + 11,
        ..consent("local/ann", "a")
    };
    s.remember_consent(&wider).await.unwrap();
    assert_eq!(s.consents_of("local/ann").await.unwrap(), [wider.clone(), consent("local/ann", "b")]);
    s.forget_consent("local/ann", "b").await.unwrap();
    s.forget_consent("local/ann", "b").await.unwrap();
    assert_eq!(s.consents_of("local/ann").await.unwrap(), [wider]);
    // With the application goes what people let it do.
    s.delete_application(&step(s, "x").await, "a").await.unwrap();
    assert_eq!((s.consents_of("local/ann").await.unwrap(), s.consents_of("local/bob").await.unwrap()), (vec![], vec![]));
    // With the sessions of an identity ends what it need not be asked.
    for identity in ["local/ann", "local/bob"] {
        s.remember_consent(&consent(identity, "b")).await.unwrap();
    }
    s.delete_sessions_of("local/bob", None).await.unwrap();
    assert_eq!((s.consents_of("local/ann").await.unwrap().len(), s.consents_of("local/bob").await.unwrap().len()), (1, 0));
    s.remember_consent(&consent("local/ann", "b")).await.unwrap();
    s.prune(NOW + 9).await.unwrap();
    assert_eq!(s.consents_of("local/ann").await.unwrap().len(), 1);
    s.prune(NOW + 10).await.unwrap();
    assert_eq!(s.consents_of("local/ann").await.unwrap(), []);
}

/// Whoever takes a grant back is asked the next time, whichever of their identities it names; others and other places are not.
pub(crate) async fn a_revoked_grant_ends_consent_to_the_same_place(store: Arc<dyn Store>) {
    let s = &*store;
    let (ann, hub) = (identity("local/ann"), identity("github/ann"));
    for record in [&ann, &hub, &identity("local/bob")] {
        s.put_identity(&step(s, "x").await, record).await.unwrap();
    }
    s.link_identity(&step(s, "x").await, "github/ann", &hub.person, &ann.person, None).await.unwrap();
    s.insert_issuer(&step(s, "x").await, &issuer("static/falconer/grants-1")).await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("g1", "n1"), None).await.unwrap();
    let consent = |identity: &str, application: &str, origin: &str| ConsentRecord {
        identity: identity.into(),
        application: application.into(),
        person: "p".into(),
        redirect_uri: format!("{origin}/cb"),
        target_origin: origin.into(),
        scopes: texts(&["a"]),
        identity_scopes: Vec::new(),
        basis: String::new(),
        life_ms: 5,
        at_ms: NOW,
        expires_ms: NOW + 10,
    };
    let (same, another) = ("https://notes.example.com", "https://other.example.com");
    let stays = [consent("local/ann", "b", another), consent("local/bob", "a", same)];
    let goes = [consent("local/ann", "a", same), consent("github/ann", "a", same)];
    for consent in stays.iter().chain(&goes) {
        s.remember_consent(consent).await.unwrap();
    }
    // What a program has derived and ends says nothing of what the person wants.
    s.insert_grant(&step(s, "x").await, &GrantRecord { parent: Some("g1".into()), ..grant("part", "") }, None).await.unwrap();
    s.revoke_grants(&step(s, "x").await, &texts(&["part"]), "x", "x").await.unwrap();
    assert_eq!(s.consents_of("local/ann").await.unwrap().len(), 2);
    s.revoke_grants(&step(s, "x").await, &texts(&["g1"]), "x", "x").await.unwrap();
    let mut left = Vec::new();
    for identity in ["local/ann", "github/ann", "local/bob"] {
        left.extend(s.consents_of(identity).await.unwrap());
    }
    assert_eq!(left, stays);
    // It is revoked already: nothing more ends by it.
    s.remember_consent(&goes[0]).await.unwrap();
    s.revoke_grants(&step(s, "x").await, &texts(&["g1"]), "x", "x").await.unwrap();
    assert_eq!(s.consents_of("local/ann").await.unwrap().len(), 2);
}
