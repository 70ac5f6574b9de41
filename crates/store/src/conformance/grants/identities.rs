//! What applications are told of people.

use std::sync::Arc;

use super::super::samples::{NOW, texts};
use crate::{GrantIdentityRecord, Revision, Store};

pub(in crate::conformance) async fn what_is_told_of_a_person_comes_back_and_goes_with_the_grant(store: Arc<dyn Store>) {
    let s = &*store;
    let one = GrantIdentityRecord {
        grant: "g1".to_owned(),
        subject: "p1".to_owned(),
        scopes: texts(&["openid", "email"]),
        nonce: Some("n\"1".to_owned()),
        proved_ms: Some(NOW - 5),
        method: "password".to_owned(),
        factors: 1,
        sid: Some("s1".to_owned()),
        kept_until_ms: NOW + 10,
    };
    assert_eq!(s.grant_identity("g1").await, Ok(None));
    s.put_grant_identity(&one).await.unwrap();
    assert_eq!(s.grant_identity("g1").await, Ok(Some(one.clone())));
    let other = GrantIdentityRecord { nonce: None, proved_ms: None, sid: None, factors: 2, method: "passkey".to_owned(), ..one };
    s.put_grant_identity(&other).await.unwrap();
    assert_eq!(s.grant_identity("g1").await, Ok(Some(other)), "the later one counts");
    assert_eq!(s.revision().await, Ok(Revision(0)), "no revision is taken");
    s.prune(NOW + 9).await.unwrap();
    assert!(s.grant_identity("g1").await.unwrap().is_some());
    s.prune(NOW + 10).await.unwrap();
    assert_eq!(s.grant_identity("g1").await, Ok(None));
}
