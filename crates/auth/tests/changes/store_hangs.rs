//! A store that hangs, and those who go away while it does.

use std::sync::Arc;

use crate::common::failing::{Failing, WIDTH};
use crate::common::{Keys, World, new_grant, settings};
use falconer_auth::Auth;
use falconer_store::*;
use futures_util::FutureExt as _;

async fn world() -> (World, Arc<Failing>) {
    let world = World::bare().await;
    let store = Arc::new(Failing::new(world.store.clone()));
    let auth = Auth::open(store.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
    (World { auth, ..world }, store)
}

/// Story: the answer of a store that hung was over when it came, so that the next one who had waited asked once more, for as long.
#[tokio::test]
async fn whoever_asks_whether_anything_can_be_changed_waits_for_one_answer() {
    let (world, store) = world().await;
    let auth = &world.auth;
    let closed = store.gate.acquire_many(WIDTH).await.unwrap();
    let mut asking: Vec<_> = (0..5).map(|_| Box::pin(auth.can_change())).collect();
    for one in &mut asking {
        assert!(one.now_or_never().is_none());
    }
    tokio::task::yield_now().await;
    // One who goes away takes the question with them from nobody.
    drop(asking.remove(0));
    world.clock.advance(5000);
    drop(closed);
    for answer in futures_util::future::join_all(asking).await {
        assert_eq!(answer, Ok(()));
    }
    assert_eq!(auth.can_change().await, Ok(()), "it counts from when it came");
    assert_eq!(store.calls_of("ping"), 1);
    world.clock.advance(1000);
    store.errors.lock().unwrap().push_back(("ping", StoreError::Unavailable("away".to_owned())));
    assert_eq!(auth.can_change().await, Err(StoreError::Unavailable("away".to_owned())));
}

/// Story: a server that ended while its minute's uses were written forgot those that it had at hand.
#[tokio::test]
async fn uses_outlive_whoever_writes_them() {
    let (world, store) = world().await;
    let auth = &world.auth;
    world.person("local/ann", &["a"]).await;
    let issued = auth.add_grant(new_grant("local/ann", &["a"], world.now())).await.unwrap();
    let client = world.client("x", &[]).await;
    world.clock.advance(7 * falconer_auth::HOUR_MS);
    world.verify(&client).await;
    let certificate = Some(issued.credentials.certificate);
    let grant = Keys { id: issued.credentials.client_id, token: issued.credentials.access_token, certificate };
    for _ in 0..3 {
        world.verify(&grant).await;
    }
    let closed = store.gate.acquire_many(WIDTH).await.unwrap();
    let mut writing = Box::pin(auth.flush_uses());
    assert!((&mut writing).now_or_never().is_none());
    drop(writing);
    drop(closed);
    assert_eq!(store.calls_of("note_uses"), 0);
    auth.flush_uses().await.unwrap();
    let kept = world.store.grant(&issued.grant.id).await.unwrap().unwrap();
    assert_eq!((kept.use_count, kept.last_used_ms), (3, Some(world.now())));
    auth.flush_uses().await.unwrap();
    assert_eq!(store.calls_of("note_uses"), 1, "nothing waits twice");
}

/// What a store could not note beside others is noted with the next call, and nothing else is.
#[tokio::test]
async fn uses_that_are_left_are_written_again() {
    let (world, store) = world().await;
    let auth = &world.auth;
    world.person("local/ann", &["a"]).await;
    let mut grants = Vec::new();
    for _ in 0..2 {
        let issued = auth.add_grant(new_grant("local/ann", &["a"], world.now())).await.unwrap();
        let certificate = Some(issued.credentials.certificate);
        world.verify(&Keys { id: issued.credentials.client_id, token: issued.credentials.access_token, certificate }).await;
        grants.push(issued.grant.id);
    }
    let client = world.client("x", &[]).await;
    world.clock.advance(7 * falconer_auth::HOUR_MS);
    world.verify(&client).await;
    *store.left.lock().unwrap() =
        UsesLeft { clients: vec![("x".to_owned(), world.now())], grants: vec![(grants[0].clone(), world.now(), 5)] };
    for calls in [1, 2, 2] {
        auth.flush_uses().await.unwrap();
        assert_eq!(store.calls_of("note_uses"), calls);
    }
    // The store of the test noted them the first time too.
    for (id, count) in grants.iter().zip([1 + 5, 1]) {
        assert_eq!(world.store.grant(id).await.unwrap().unwrap().use_count, count);
    }
}
