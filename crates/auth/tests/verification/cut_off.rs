//! A store to which others write: a node that does not reach it, and what makes a node look at it.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use crate::common::failing::{Failing, WIDTH};
use crate::common::{World, settings};
use crate::patience::patience;
use falconer_auth::{ApiError, Auth, AuthSettings, RequestParts, RoleInput, Unable, Verdict};
use falconer_store::StoreError;

/// A node that was cut off gave whoever signs nothing what the role `anonymous` had when it was last seen, for ever.
#[tokio::test]
async fn a_node_that_is_cut_off_does_not_know_what_nobody_may_do() {
    let world = World::bare().await;
    world.role("anonymous", &["notes:read"]).await;
    let store = Arc::new(Failing { is_shared: true, ..Failing::new(world.store.clone()) });
    let settings = AuthSettings { max_staleness_ms: Some(5000), ..settings() };
    let auth = Auth::open(store, settings, world.clock.clone(), world.random.clone()).await.unwrap();
    let unsigned = RequestParts { method: "get", resource: "/x", host: "svc.example.com", port: 443, authorization: None };
    assert!(matches!(auth.verify(&unsigned).await, Verdict::NoAuth { scopes, .. } if scopes.satisfies("notes:read")));
    let nobody = auth.nobody();
    world.clock.advance(5001);
    assert!(matches!(auth.verify(&unsigned).await, Verdict::Unable(Unable::CutOff { for_ms: 5001 })));
    assert!(matches!(auth.nobody().caller(), Err(ApiError::CutOff { .. })), "nor in its own API");
    assert!(matches!(auth.caller(&nobody), Err(ApiError::CutOff { .. })), "nor where the request came a moment ago");
    auth.catch_up().await.unwrap();
    assert!(matches!(auth.verify(&unsigned).await, Verdict::NoAuth { .. }) && auth.nobody().caller().is_ok());
}

/// Each refusal of a stranger made the node read the store.
#[tokio::test]
async fn who_is_refused_without_credentials_makes_no_node_look() {
    let world = World::bare().await;
    let store = Arc::new(Failing { is_shared: true, ..Failing::new(world.store.clone()) });
    let auth = Auth::open(store.clone(), settings(), world.clock.clone(), world.random.clone()).await.unwrap();
    let catch_ups = || store.calls_of("changed_records");
    let role = RoleInput { scopes: Vec::new(), description: String::new() };
    let before = catch_ups();
    let refused = auth.create_role(&auth.nobody(), "team", &role).await.unwrap_err();
    assert!(matches!(refused, ApiError::InsufficientScopes { client_id: None, .. }));
    assert_eq!(catch_ups(), before);
    world.role("anonymous", &["auth:create-role:team"]).await;
    auth.catch_up().await.unwrap();
    let before = catch_ups();
    assert!(auth.create_role(&auth.nobody(), "team", &RoleInput { scopes: vec!["x".to_owned()], ..role }).await.is_err());
    assert_eq!(catch_ups(), before, "nor for what they may not give");
    let gone = auth.update_role(&auth.nobody(), "gone", &RoleInput { scopes: Vec::new(), description: String::new() }).await;
    assert!(matches!(gone, Err(ApiError::ResourceNotFound(_))) && catch_ups() > before, "another node may have made it: {gone:?}");
}

/// Story: what another server had made a second ago was 404 where the store was away, so that a tool that deploys made it once more, or gave up.
#[tokio::test]
async fn a_refusal_that_nobody_can_look_after_is_none() {
    let world = World::bare().await;
    let store = Arc::new(Failing { is_shared: true, ..Failing::new(world.store.clone()) });
    let settings = AuthSettings { max_staleness_ms: Some(5000), ..settings() };
    let auth = Auth::open(store.clone(), settings, world.clock.clone(), world.random.clone()).await.unwrap();
    let keys = world.client("made", &["auth:create-client:other"]).await;
    let away = || store.errors.lock().unwrap().push_back(("changed_records", StoreError::Unavailable("away".to_owned())));
    let unavailable = Some(ApiError::Unavailable("away".to_owned()));
    let (root, input) = (world.as_root().await, world.input(&[]));
    away();
    assert_eq!(auth.update_client(&root, "made", &input).await.err(), unavailable, "404 else");
    auth.update_client(&root, "made", &input).await.unwrap();
    away();
    assert_eq!(auth.create_client(&root, "made", &world.input(&["x"])).await.err(), unavailable, "409 else, of one that may be gone");
    let who = world.call(&keys).await;
    away();
    assert_eq!(auth.create_client(&who, "third", &input).await.err(), unavailable, "403 else, of scopes that it may have by now");
    // Once it can be looked at, it holds.
    let conflict = auth.create_client(&root, "made", &world.input(&["x"])).await.err();
    assert!(matches!(conflict, Some(ApiError::RequestConflict(_))), "{conflict:?}");
    // What this node says of itself needs no look.
    world.clock.advance(5001);
    away();
    let cut_off = auth.update_client(&root, "made", &input).await.err();
    assert!(matches!(cut_off, Some(ApiError::CutOff { .. })), "{cut_off:?}");
}

/// A look stood still with the thread that had begun it, and all others waited for it: a busy node cut itself off from a database that answered.
#[tokio::test]
async fn a_thread_that_is_busy_holds_up_no_look() {
    let world = World::bare().await;
    let store = Arc::new(Failing { is_shared: true, ..Failing::new(world.store.clone()) });
    let settings = AuthSettings { max_staleness_ms: Some(5000), ..settings() };
    let auth = Auth::open(store.clone(), settings, world.clock.clone(), world.random.clone()).await.unwrap();
    // The look comes to no end before the thread is busy.
    let closed = store.gate.acquire_many(WIDTH).await.unwrap();
    let (begin, has_begun) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let of_thread = auth.clone();
    let thread = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let mut look = pin!(of_thread.catch_up());
            let is_over = poll_fn(|context| Poll::Ready(look.as_mut().poll(context).is_ready())).await;
            begin.send(is_over).unwrap();
            // Whatever else it does, for longer than anybody waits.
            released.recv().unwrap();
            look.await
        })
    });
    assert!(!has_begun.await.unwrap(), "the look is under way");
    drop(closed);
    // From here on the clock stands.
    world.clock.advance(5001);
    assert_eq!(auth.cut_off_ms(), Some(5001));
    let looked = tokio::time::timeout(patience(), auth.catch_up()).await;
    assert_eq!(looked.expect("the busy thread holds up the look of another one"), Ok(false));
    assert_eq!(auth.cut_off_ms(), None);
    release.send(()).unwrap();
    assert_eq!(thread.join().unwrap(), Ok(false));
}
