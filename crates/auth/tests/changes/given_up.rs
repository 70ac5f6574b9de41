//! What goes on although nobody waits for it, and what is said of what takes long.

use falconer_store::StoreError;
use futures_util::FutureExt as _;

use crate::common::failing::WIDTH;
use crate::store_errors::Broken;

/// A commit that waited for a standby kept all later changes waiting, and whoever watches the server was told that all is well.
#[tokio::test]
async fn a_commit_that_takes_seconds_is_told_to_who_asks_whether_anything_can_be_changed() {
    let broken = Broken::new().await;
    let closed = broken.store.gate.acquire_many(WIDTH).await.unwrap();
    let mut creating = Box::pin(broken.create());
    for _ in 0..100 {
        assert!((&mut creating).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    broken.world.clock.advance(6000);
    assert!(matches!(broken.world.auth.can_change().await, Err(StoreError::Unavailable(why)) if why.contains("a change waits")));
    drop(closed);
    assert_eq!(creating.await, Ok(()));
    assert_eq!(broken.world.auth.can_change().await, Ok(()));
}

/// Uses that were being written when the upkeep was ended were lost.
#[tokio::test]
async fn uses_are_written_although_nobody_waits_for_it_any_more() {
    let broken = Broken::new().await;
    let keys = broken.world.client("used", &[]).await;
    broken.world.clock.advance(7 * falconer_auth::HOUR_MS);
    broken.world.verify(&keys).await;
    let closed = broken.store.gate.acquire_many(WIDTH).await.unwrap();
    let mut flushing = Box::pin(broken.world.auth.flush_uses());
    for _ in 0..100 {
        assert!((&mut flushing).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop((flushing, closed));
    broken.world.auth.flush_uses().await.unwrap();
    let used_ms = broken.world.store.client("used").await.unwrap().unwrap().last_date_used_ms;
    assert_eq!(used_ms, broken.world.now(), "the second one waits for the first one");
}

/// A follower is asked for more only when its peer takes something, and kept the rows and a connection from all others until then.
#[tokio::test]
async fn what_a_follower_reads_is_read_whether_it_is_asked_for_or_not() {
    let broken = Broken::new().await;
    let root = broken.world.as_root().await;
    let mut follower = broken.world.auth.follow(&root, None).await.unwrap();
    broken.create().await.unwrap();
    let before = broken.store.calls_of("changes_since");
    let closed = broken.store.gate.acquire_many(WIDTH).await.unwrap();
    let mut next = Box::pin(follower.next());
    assert!((&mut next).now_or_never().is_none());
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    drop(closed);
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(broken.store.calls_of("changes_since"), before + 1, "nobody has asked the follower meanwhile");
    assert!(next.await.is_ok());
}
