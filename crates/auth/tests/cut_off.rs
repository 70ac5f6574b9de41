//! A node that does not reach a store to which others write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use common::failing::Failing;
use common::{World, settings};
use falconer_auth::{ApiError, Auth, AuthSettings, RequestParts, Unable, Verdict};

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
