//! Grants that have ended: they leave memory, and whoever goes on using them is told the same as before.

use std::sync::Arc;

use falconer_auth::{ApiError, Auth, DAY_MS, NewGrant};
use falconer_store::{GrantRecord, Step, Store, StoreError, Write};

use crate::common::failing::Failing;
use crate::common::{Keys, World, message_of, new_grant, scopes_of, settings, step_beside};

const HOUR_MS: i64 = 3_600_000;

/// A node whose looks at the store are counted, and ann, who may `a`.
async fn world() -> (World, Arc<Failing>) {
    let world = World::bare().await;
    let store = Arc::new(Failing::new(world.store.clone()));
    let auth = Auth::open(store.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
    let world = World { auth, ..world };
    world.person("local/ann", &["a"]).await;
    (world, store)
}

/// Another node of the same store, with a count of its own.
async fn beside(world: &World) -> (World, Arc<Failing>) {
    let store = Arc::new(Failing::new(world.store.clone()));
    let auth = Auth::open(store.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
    let (clock, random, root) = (world.clock.clone(), world.random.clone(), world.root.clone());
    (World { auth, store: world.store.clone(), clock, random, root }, store)
}

/// A client that was made with a grant, as another process stores it.
async fn client_of(world: &World, grant: &str) -> Keys {
    let mut record = world.store.client("static/falconer/root").await.unwrap().unwrap();
    record.client_id = format!("made/with-{grant}");
    record.grant = Some(grant.to_owned());
    let step = step_beside(world.store.revision().await.unwrap(), world.now());
    world.store.insert_client(&step, &record).await.unwrap();
    Keys::new(&record.client_id, record.access_token.expose())
}

async fn issue(world: &World, new: NewGrant) -> (GrantRecord, Keys) {
    let issued = world.auth.add_grant(new).await.unwrap();
    let certificate = Some(issued.credentials.certificate);
    (issued.grant, Keys { id: issued.credentials.client_id, token: issued.credentials.access_token, certificate })
}

/// So many grants like this one, in one transaction of another process.
async fn insert_many(store: &dyn Store, like: &GrantRecord, many: usize, at_ms: i64) -> Vec<String> {
    let ids: Vec<String> = (0..many).map(|n| format!("{n:022}")).collect();
    let mut decided_at = store.revision().await.unwrap();
    let mut steps = Vec::new();
    for id in &ids {
        let grant = GrantRecord { id: id.clone(), client_id: format!("local/ann/notes.example.com/{id}"), ..like.clone() };
        steps.push((Step { decided_at, ..step_beside(decided_at, at_ms) }, Write::InsertGrant(grant, None)));
        decided_at.0 += 1;
    }
    store.commit(store.history().await.unwrap().epoch, steps).await.unwrap();
    ids
}

/// Story: ended grants stayed in memory for 31 days after their end, with their scopes and all that pages show of them.
#[tokio::test]
async fn ten_thousand_that_end_leave_memory_and_are_refused_as_before() {
    const MANY: usize = 10_000;
    let (world, counted) = world().await;
    let (kept, kept_keys) =
        issue(&world, NewGrant { expires_ms: world.now() + 30 * DAY_MS, ..new_grant("local/ann", &["a"], world.now()) }).await;
    let like = GrantRecord { expires_ms: world.now() + HOUR_MS, ..kept.clone() };
    let ids = insert_many(&*world.store, &like, MANY, world.now()).await;
    let (revoked, over) = (ids[MANY / 2 - 1].clone(), ids[MANY - 1].clone());
    let (revoked_keys, over_keys) = (client_of(&world, &revoked).await, client_of(&world, &over).await);
    world.auth.catch_up().await.unwrap();
    let there = || world.auth.directory().grants().count();
    assert_eq!(there(), MANY + 1);
    for keys in [&revoked_keys, &over_keys] {
        assert!(scopes_of(&world.verify(keys).await).contains(&"a".to_owned()));
    }

    // Those that are revoked leave at once, here and on a node that hears of it.
    let (other, other_counted) = beside(&world).await;
    world.auth.revoke_grants(&["local/ann"], "local/ann", &ids[..MANY / 2], "test").await.unwrap();
    other.auth.catch_up().await.unwrap();
    assert_eq!((there(), other.auth.directory().grants().count()), (MANY / 2 + 1, MANY / 2 + 1));
    assert!(world.auth.directory().grant(&revoked).is_none());

    // Those whose time is over leave some minutes after, by the time of the last change.
    world.clock.advance(2 * HOUR_MS);
    assert_eq!(message_of(&world.verify(&over_keys).await), format!("The grant {over} has ended"), "it is over before it leaves");
    world.auth.flush_uses().await.unwrap();
    assert_eq!(there(), MANY / 2 + 1, "a clock alone makes nobody forget: it may be wrong");
    world.role("later", &[]).await;
    world.auth.flush_uses().await.unwrap();
    assert_eq!(there(), 1, "as before they came");
    assert!(world.auth.directory().grant_named(&like.client_id).is_some_and(|grant| grant.record.id == kept.id));
    assert!(scopes_of(&world.verify(&kept_keys).await).contains(&"a".to_owned()), "what goes on goes on");

    // Each call is answered as before, and nobody's calls read the store each time.
    let looks = |counted: &Failing| (counted.calls_of("changed_records"), counted.calls_of("grant"));
    let (before, other_before) = (looks(&counted), looks(&other_counted));
    for _ in 0..5 {
        for world in [&world, &other] {
            assert_eq!(message_of(&world.verify(&revoked_keys).await), format!("The grant {revoked} has been revoked"));
            assert_eq!(message_of(&world.verify(&over_keys).await), format!("The grant {over} has ended"));
        }
    }
    assert_eq!((looks(&counted), looks(&other_counted)), (before, other_before));

    // A node that has started since looks once for each, also when others change something in between.
    let (fresh, fresh_counted) = beside(&world).await;
    assert_eq!(fresh.auth.directory().grants().count(), 1, "it loads none of them");
    for _ in 0..5 {
        assert_eq!(message_of(&fresh.verify(&revoked_keys).await), format!("The grant {revoked} has been revoked"));
        assert_eq!(message_of(&fresh.verify(&over_keys).await), format!("The grant {over} has ended"));
        assert!(scopes_of(&fresh.verify(&kept_keys).await).contains(&"a".to_owned()));
    }
    assert_eq!(fresh_counted.calls_of("grant"), 2);
    let before = fresh_counted.calls_of("grant");
    let (early, early_keys) = (&ids[0], client_of(&world, &ids[0]).await);
    fresh.auth.catch_up().await.unwrap();
    for n in 0..5 {
        assert_eq!(message_of(&fresh.verify(&early_keys).await), format!("The grant {early} has been revoked"));
        fresh.role("another", &[&format!("s:{n}")]).await;
    }
    assert!(fresh_counted.calls_of("grant") - before <= 1);
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_made_forget_holds_again() {
    let (world, counted) = world().await;
    let (grant, keys) = issue(&world, new_grant("local/ann", &["a"], world.now())).await;
    world.clock.advance(2 * DAY_MS);
    world.role("later", &[]).await;
    world.auth.flush_uses().await.unwrap();
    assert!(world.auth.directory().grant(&grant.id).is_none());
    world.clock.advance(-2 * DAY_MS + HOUR_MS);
    world.auth.accept_time().await.unwrap();
    for _ in 0..3 {
        assert!(scopes_of(&world.verify(&keys).await).contains(&"a".to_owned()));
    }
    assert!(counted.calls_of("grant") <= 2, "it is in memory again");
    world.auth.flush_uses().await.unwrap();
    assert!(world.auth.directory().grant(&grant.id).is_some());
    world.auth.revoke_grants(&["local/ann"], "local/ann", std::slice::from_ref(&grant.id), "test").await.unwrap();
    assert_eq!(message_of(&world.verify(&keys).await), format!("The grant {} has been revoked", grant.id));
}

/// A form that is sent once more finds what it made, whatever has become of that, on any node.
#[tokio::test]
async fn a_form_is_used_once_also_when_its_grant_has_ended() {
    let (world, _) = world().await;
    let form = |nonce: &str, choices: &str| NewGrant {
        nonce: nonce.to_owned(),
        choices: choices.to_owned(),
        ..new_grant("local/ann", &["a"], world.now())
    };
    let (revoked, _) = issue(&world, form("first", "x")).await;
    let (over, _) = issue(&world, NewGrant { expires_ms: world.now() + HOUR_MS, ..form("second", "x") }).await;
    world.auth.revoke_grants(&["local/ann"], "local/ann", std::slice::from_ref(&revoked.id), "test").await.unwrap();
    world.clock.advance(2 * HOUR_MS);
    world.role("later", &[]).await;
    world.auth.flush_uses().await.unwrap();
    assert_eq!(world.auth.directory().grants().count(), 0);
    let (other, _) = beside(&world).await;
    for node in [&world, &other] {
        for choices in ["x", "y"] {
            let refused = node.auth.add_grant(form("first", choices)).await.map(|issued| issued.grant).unwrap_err();
            assert_eq!(refused, ApiError::RequestConflict("This grant has been revoked".to_owned()));
        }
        let reissued = node.auth.add_grant(form("second", "x")).await.unwrap();
        assert_eq!((reissued.repeated, &reissued.grant.id), (true, &over.id));
    }
    let (newer, keys) = issue(&other, form("second", "y")).await;
    assert_ne!(newer.id, over.id);
    assert!(scopes_of(&other.verify(&keys).await).contains(&"a".to_owned()));
    assert!(world.store.grant(&over.id).await.unwrap().unwrap().revoked_ms.is_some(), "it was replaced");
    // What is revoked on another node is revoked here too, although this one has not heard of it.
    other.auth.revoke_grants(&["local/ann"], "local/ann", std::slice::from_ref(&newer.id), "test").await.unwrap();
    let refused = world.auth.add_grant(form("second", "y")).await.map(|issued| issued.grant).unwrap_err();
    assert_eq!(refused, ApiError::RequestConflict("This grant has been revoked".to_owned()));
    // A second revocation changes nothing.
    let before = world.store.revision().await.unwrap();
    world.auth.catch_up().await.unwrap();
    world.auth.revoke_grants(&["local/ann"], "local/ann", &[newer.id, over.id], "test").await.unwrap();
    assert_eq!(world.store.revision().await.unwrap(), before);
}

/// A revocation that came to nothing was remembered, so that the next one found nothing to do and was acknowledged: the grant went on.
#[tokio::test]
async fn what_was_not_revoked_is_revoked_by_whoever_tries_again() {
    for error in [StoreError::Unavailable("away".to_owned()), StoreError::Full("full".to_owned()), StoreError::Unknown("lost".to_owned())] {
        let (world, store) = world().await;
        let (grant, keys) = issue(&world, new_grant("local/ann", &["a"], world.now())).await;
        let (other, _) = issue(&world, NewGrant { expires_ms: world.now() + HOUR_MS, ..new_grant("local/ann", &["a"], world.now()) }).await;
        let ids = [grant.id.clone()];
        store.errors.lock().unwrap().extend([("commit", error.clone()), ("commit", error)]);
        assert!(world.auth.revoke_grants(&["local/ann"], "local/ann", &ids, "test").await.is_err());
        assert!(world.auth.revoke_grants(&["local/ann"], "local/ann", std::slice::from_ref(&other.id), "test").await.is_err());
        assert!(scopes_of(&world.verify(&keys).await).contains(&"a".to_owned()), "it was not revoked");
        world.auth.revoke_grants(&["local/ann"], "local/ann", &ids, "test").await.unwrap();
        assert!(world.store.grant(&grant.id).await.unwrap().unwrap().revoked_ms.is_some());
        assert_eq!(message_of(&world.verify(&keys).await), format!("The grant {} has been revoked", grant.id));
        // Nor is anybody told so whose time is over.
        let other_keys = client_of(&world, &other.id).await;
        world.clock.advance(2 * HOUR_MS);
        world.role("later", &[]).await;
        world.auth.flush_uses().await.unwrap();
        assert_eq!(message_of(&world.verify(&other_keys).await), format!("The grant {} has ended", other.id));
    }
}

/// Story: this server looked in memory for what came of a grant. The link led over one that had ended, so that what was given beyond that one was revoked in the store
/// and went on here.
#[tokio::test]
async fn what_was_given_beyond_an_ended_grant_is_revoked_with_the_first_one_here_too() {
    for is_replaced in [false, true] {
        let (world, _) = world().await;
        let now = world.now();
        let of = |widens: Option<&GrantRecord>, expires_ms| NewGrant {
            widens: widens.map(|grant| grant.id.clone()),
            expires_ms,
            nonce: format!("form-{expires_ms}-{}", widens.is_some()),
            ..new_grant("local/ann", &["a"], now)
        };
        let (first, _) = issue(&world, of(None, now + 30 * DAY_MS)).await;
        let (short, _) = issue(&world, of(Some(&first), now + HOUR_MS)).await;
        let (last, keys) = issue(&world, of(Some(&short), now + 30 * DAY_MS)).await;
        world.clock.advance(2 * HOUR_MS);
        world.role("later", &[]).await;
        world.auth.flush_uses().await.unwrap();
        assert!(world.auth.directory().grant(&short.id).is_none(), "it has left memory");
        assert!(scopes_of(&world.verify(&keys).await).contains(&"a".to_owned()));
        if is_replaced {
            let again = NewGrant { choices: "others".to_owned(), ..of(None, now + 30 * DAY_MS) };
            let (other, other_keys) = issue(&world, again).await;
            assert_ne!(other.id, first.id);
            assert!(scopes_of(&world.verify(&other_keys).await).contains(&"a".to_owned()));
        } else {
            world.auth.revoke_grants(&["local/ann"], "local/ann", std::slice::from_ref(&first.id), "test").await.unwrap();
        }
        assert!(world.store.grant(&last.id).await.unwrap().unwrap().revoked_ms.is_some());
        assert_eq!(message_of(&world.verify(&keys).await), format!("The grant {} has been revoked", last.id));
    }
}
