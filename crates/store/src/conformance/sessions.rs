//! Sessions, remembered origins, attempts, upkeep.

use std::sync::Arc;

use super::samples::{NOW, session};
use crate::conformance::at_once::at_once;
use crate::{Revision, SessionRecord, Store, StoreError};

pub(super) async fn a_session_comes_back_as_it_was(store: Arc<dyn Store>) {
    let s = &*store;
    let record = session("h1", "local/ann");
    s.insert_session(&record).await.unwrap();
    assert_eq!(s.session("h1").await.unwrap(), Some(record.clone()));
    assert_eq!(s.session("H1").await.unwrap(), None);
    let other = SessionRecord { identity: "local/bob".into(), ..record.clone() };
    assert_eq!(s.insert_session(&other).await, Err(StoreError::Conflict));
    assert_eq!(s.session("h1").await.unwrap(), Some(record));
    assert_eq!(s.revision().await, Ok(Revision(0)), "a session takes no revision");
}

pub(super) async fn a_session_is_seen_forward_only(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_session(&session("h1", "local/ann")).await.unwrap();
    s.touch_session("h1", NOW + 5).await.unwrap();
    s.touch_session("h1", NOW + 3).await.unwrap();
    s.touch_session("gone", NOW).await.unwrap();
    let seen = SessionRecord { last_seen_ms: NOW + 5, ..session("h1", "local/ann") };
    assert_eq!(s.session("h1").await.unwrap(), Some(seen));
}

pub(super) async fn sessions_end_one_by_one_and_together(store: Arc<dyn Store>) {
    let s = &*store;
    for (hash, created_ms) in [("h1", NOW), ("h2", NOW + 2), ("h3", NOW + 1)] {
        s.insert_session(&SessionRecord { created_ms, ..session(hash, "local/ann") }).await.unwrap();
    }
    s.insert_session(&session("h4", "local/bob")).await.unwrap();
    let hashes = async |identity| {
        let sessions = s.sessions_of(identity).await.unwrap();
        sessions.into_iter().map(|session| session.id_hash).collect::<Vec<_>>()
    };
    assert_eq!(hashes("local/ann").await, ["h2", "h3", "h1"]);
    s.delete_session("h3").await.unwrap();
    s.delete_session("h3").await.unwrap();
    assert_eq!(hashes("local/ann").await, ["h2", "h1"]);
    assert_eq!(s.delete_sessions_of("local/ann", Some("h1")).await, Ok(1));
    assert_eq!(hashes("local/ann").await, ["h1"]);
    assert_eq!(s.delete_sessions_of("local/ann", None).await, Ok(1));
    assert_eq!(s.delete_sessions_of("local/ann", None).await, Ok(0));
    assert_eq!(hashes("local/bob").await, ["h4"]);
}

pub(super) async fn origins_are_remembered_and_forgotten(store: Arc<dyn Store>) {
    let s = &*store;
    for (identity, origin, at_ms) in
        [("local/ann", "https://b", 1), ("local/ann", "https://a", 2), ("local/ann", "https://b", 3), ("local/bob", "https://c", 4)]
    {
        s.remember_origin(identity, origin, at_ms).await.unwrap();
    }
    assert_eq!(s.remembered_origins("local/ann").await.unwrap(), [("https://a".into(), 2), ("https://b".into(), 3)]);
    s.forget_origin("local/ann", "https://a").await.unwrap();
    s.forget_origin("local/ann", "https://c").await.unwrap();
    assert_eq!(s.remembered_origins("local/ann").await.unwrap(), [("https://b".into(), 3)]);
    assert_eq!(s.remembered_origins("local/bob").await.unwrap().len(), 1);
}

pub(super) async fn attempts_count_within_their_window(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.attempts("k", NOW, 100).await, Ok(0));
    assert_eq!(s.note_attempt("k", NOW, 100).await, Ok(1));
    assert_eq!(s.note_attempt("k", NOW, 100).await, Ok(2));
    assert_eq!(s.note_attempt("k", NOW + 50, 100).await, Ok(3));
    assert_eq!(s.note_attempt("other", NOW, 100).await, Ok(1));
    assert_eq!(s.attempts("k", NOW + 99, 100).await, Ok(3));
    assert_eq!(s.attempts("k", NOW + 100, 100).await, Ok(1), "the first two are out of the window");
    assert_eq!(s.attempts("k", NOW + 99, 10).await, Ok(0));
    assert_eq!(s.note_attempt("k", NOW + 149, 100).await, Ok(2));
    s.clear_attempts("k").await.unwrap();
    assert_eq!(s.attempts("k", NOW + 149, 100).await, Ok(0));
    // A clock that was ahead by an hour closed an account for an hour, and once more when that time had come.
    let ahead_ms = NOW + 3_600_000;
    assert_eq!(s.note_attempt("k", ahead_ms, 100).await, Ok(1));
    assert_eq!(s.attempts("k", NOW, 100).await, Ok(0));
    assert_eq!(s.note_attempt("k", NOW, 100).await, Ok(1));
    assert_eq!(s.attempts("k", ahead_ms, 100).await, Ok(0));
    s.clear_attempts("k").await.unwrap();
    assert_eq!(s.note_attempt("k", NOW + 60_000, 100).await, Ok(1));
    assert_eq!(s.note_attempt("k", NOW, 100).await, Ok(2), "clocks of two nodes differ a little");
    s.clear_attempts("k").await.unwrap();
    assert_eq!(s.attempts("other", NOW, 100).await, Ok(1));
}

pub(super) async fn attempts_at_once_are_all_counted(store: Arc<dyn Store>) {
    let s = &*store;
    let mut attempts: Vec<std::pin::Pin<Box<dyn Future<Output = u32> + Send + '_>>> = Vec::new();
    for _ in 0..32 {
        attempts.push(Box::pin(async move { s.note_attempt("k", NOW, 100).await.unwrap() }));
    }
    let mut counts = at_once(attempts).await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=32).collect::<Vec<_>>());
}

pub(super) async fn pruning_removes_what_has_ended_only(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_session(&SessionRecord { expires_ms: NOW, ..session("ended", "local/ann") }).await.unwrap();
    s.insert_session(&SessionRecord { expires_ms: NOW + 1, ..session("running", "local/ann") }).await.unwrap();
    s.put_setup_link("ended", NOW).await.unwrap();
    s.put_setup_link("running", NOW + 1).await.unwrap();
    s.note_attempt("ended", NOW - 100, 100).await.unwrap();
    s.note_attempt("running", NOW - 99, 100).await.unwrap();
    s.prune(NOW).await.unwrap();
    assert_eq!(s.session("ended").await, Ok(None));
    assert!(s.session("running").await.unwrap().is_some());
    assert_eq!(s.setup_link_valid("ended", NOW - 1).await, Ok(false));
    assert_eq!(s.setup_link_valid("running", NOW).await, Ok(true));
    assert_eq!(s.attempts("ended", NOW - 100, 100).await, Ok(0));
    assert_eq!(s.attempts("running", NOW, 100).await, Ok(1));
}

pub(super) async fn a_store_answers_ping(store: Arc<dyn Store>) {
    assert_eq!(store.ping().await, Ok(()));
    assert_eq!(store.revision().await, Ok(Revision(0)));
}
