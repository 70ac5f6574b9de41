//! What access tokens leave in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(target_os = "linux")]

mod common;
#[path = "common/memory.rs"]
mod memory;

use common::{Keys, World};
use falconer_auth::{ClientView, Verdict};
use memory::{copies, masked};

/// Signs with what was told, and keeps the token in the other form only.
async fn used(world: &World, view: ClientView) -> Vec<u8> {
    let token = view.access_token.unwrap();
    let keys = Keys::new(&view.client_id, token.expose());
    assert!(matches!(world.verify(&keys).await, Verdict::Success(_)));
    masked(token.expose())
}

/// That tokens are wiped from where a node holds a million clients was said, and tried by nothing.
#[tokio::test]
async fn tokens_that_end_are_wiped_with_the_last_snapshot() {
    let world = World::bare().await;
    let root = world.as_root().await;
    let before = world.auth.directory();
    let created = used(&world, world.auth.create_client(&root, "x", &world.input(&["a"])).await.unwrap().0).await;
    let earlier = world.auth.directory();
    let reset = used(&world, world.auth.reset_access_token(&root, "x").await.unwrap().0).await;
    assert!(copies(&created) > 0, "who still answers from the earlier snapshot has it");
    drop((before, earlier));
    assert_eq!(copies(&created), 0, "of the token that was reset");
    assert!(copies(&reset) > 0, "what is there is found");
    world.auth.delete_client(&root, "x").await.unwrap();
    assert_eq!(copies(&reset), 0, "of the token that was deleted");
}
