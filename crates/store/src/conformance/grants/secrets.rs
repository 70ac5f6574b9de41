//! Authorization codes and access tokens.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::super::samples::NOW;
use crate::conformance::at_once::at_once;
use crate::{GrantSecretKind, GrantSecretRecord, Revision, Store, StoreError};

fn code(hash: &str) -> GrantSecretRecord {
    GrantSecretRecord {
        hash: hash.to_owned(),
        kind: GrantSecretKind::Code,
        grant: "g1".to_owned(),
        application: "notes".to_owned(),
        redirect_uri: "https://notes.example/callback?a=1".to_owned(),
        challenge: Some("challenge".to_owned()),
        resources: vec!["https://notes.example/mcp".to_owned(), "https://b.example".to_owned()],
        jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned()),
        expires_ms: NOW + 1,
        kept_until_ms: NOW + 10,
        used_ms: None,
    }
}

pub(in crate::conformance) async fn a_code_comes_back_and_is_used_once(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.grant_secret("c1").await, Ok(None));
    assert_eq!(s.use_grant_secret("c1", NOW).await, Ok(false), "there is none");
    assert_eq!(s.application_of_grant("g1").await, Ok(None));
    s.insert_grant_secret(&code("c1")).await.unwrap();
    assert_eq!((s.application_of_grant("g1").await, s.application_of_grant("g2").await), (Ok(Some("notes".to_owned())), Ok(None)));
    assert_eq!(s.grant_secret("c1").await, Ok(Some(code("c1"))));
    let other = GrantSecretRecord { grant: "g2".to_owned(), ..code("c1") };
    assert_eq!(s.insert_grant_secret(&other).await, Err(StoreError::Conflict));
    assert_eq!(s.grant_secret("c1").await, Ok(Some(code("c1"))), "the first one stays");
    let token = GrantSecretRecord { kind: GrantSecretKind::AccessToken, challenge: None, resources: Vec::new(), jkt: None, ..code("t1") };
    s.insert_grant_secret(&token).await.unwrap();
    assert_eq!(s.grant_secret("t1").await, Ok(Some(token)));
    assert_eq!(s.use_grant_secret("c1", NOW + 5).await, Ok(true));
    assert_eq!(s.use_grant_secret("c1", NOW + 6).await, Ok(false));
    assert_eq!(s.grant_secret("c1").await, Ok(Some(GrantSecretRecord { used_ms: Some(NOW + 5), ..code("c1") })));
    assert_eq!(s.revision().await, Ok(Revision(0)), "no revision is taken");
}

pub(in crate::conformance) async fn of_64_uses_of_a_code_at_once_one_is_the_first(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_grant_secret(&code("c1")).await.unwrap();
    let mut uses: Vec<Pin<Box<dyn Future<Output = bool> + Send + '_>>> = Vec::new();
    for at_ms in 0..64 {
        uses.push(Box::pin(async move { s.use_grant_secret("c1", NOW + at_ms).await.unwrap() }));
    }
    assert_eq!(at_once(uses).await.into_iter().filter(|is_first| *is_first).count(), 1);
}

pub(in crate::conformance) async fn codes_are_pruned_when_nobody_needs_to_know_them(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_grant_secret(&code("c1")).await.unwrap();
    s.use_grant_secret("c1", NOW).await.unwrap();
    s.prune(NOW + 9).await.unwrap();
    assert!(s.grant_secret("c1").await.unwrap().is_some(), "ended and used, and a second use is noticed");
    s.prune(NOW + 10).await.unwrap();
    assert_eq!(s.grant_secret("c1").await, Ok(None));
}

/// One that is not known was used: its text says who made it. So an application that refreshes all day leaves one row, and not thousands.
pub(in crate::conformance) async fn a_refresh_token_that_was_used_is_pruned(store: Arc<dyn Store>) {
    let s = &*store;
    for hash in ["r1", "r2"] {
        let token = GrantSecretRecord { kind: GrantSecretKind::RefreshToken, challenge: None, ..code(hash) };
        s.insert_grant_secret(&token).await.unwrap();
    }
    s.use_grant_secret("r1", NOW).await.unwrap();
    s.prune(NOW).await.unwrap();
    assert_eq!(s.grant_secret("r1").await, Ok(None));
    assert!(s.grant_secret("r2").await.unwrap().is_some());
}
