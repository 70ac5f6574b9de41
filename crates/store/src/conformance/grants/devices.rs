//! Requests of devices.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::super::samples::{NOW, grant, step, texts};
use crate::conformance::at_once::at_once;
use crate::{DEVICE_AFTERLIFE_MS, DeviceRequestRecord, GrantRecord, LONGEST_DEVICE_INTERVAL_MS, Revision, Store, StoreError};

fn request(name: &str) -> DeviceRequestRecord {
    DeviceRequestRecord {
        device_hash: format!("device-{name}"),
        user_hash: format!("user-{name}"),
        application: "tv".to_owned(),
        scopes: texts(&["notes:read:*", "notes:a b"]),
        identity: true,
        address: "2001:db8::1".to_owned(),
        created_ms: NOW,
        expires_ms: NOW + 600_000,
        interval_ms: 5_000,
        polled_ms: None,
        grant: None,
        denied_ms: None,
        used_ms: None,
        for_grant: None,
        reason: None,
        life_ms: None,
        jkt: None,
        device_name: Some("Zoë's <laptop>".to_owned()),
    }
}

pub(in crate::conformance) async fn a_request_of_a_device_comes_back_and_is_answered_once(store: Arc<dyn Store>) {
    let s = &*store;
    let (a, b) = (request("a"), DeviceRequestRecord { scopes: vec![], identity: false, device_name: None, ..request("b") });
    assert_eq!(s.device_request("device-a").await, Ok(None));
    assert_eq!(s.answer_device_request("user-a", Some("g1"), NOW).await, Ok(false), "there is none");
    for record in [&a, &b] {
        s.insert_device_request(record).await.unwrap();
        assert_eq!(s.device_request(&record.device_hash).await, Ok(Some(record.clone())));
        assert_eq!(s.device_request_of_person(&record.user_hash).await, Ok(Some(record.clone())));
    }
    assert_eq!(s.device_request("user-a").await, Ok(None), "one code is not the other");
    assert_eq!(s.device_request_of_person("device-a").await, Ok(None));
    for taken in [
        DeviceRequestRecord { user_hash: "user-c".into(), ..request("a") },
        DeviceRequestRecord { device_hash: "c".into(), ..request("a") },
    ] {
        assert_eq!(s.insert_device_request(&taken).await, Err(StoreError::Conflict));
    }
    assert_eq!(s.use_device_request("device-a", NOW).await, Ok(false), "nobody has granted anything");
    assert_eq!(s.answer_device_request("user-a", Some("g1"), NOW + 600_000).await, Ok(false), "it has ended");
    assert_eq!(s.answer_device_request("user-a", Some("g1"), NOW + 599_999).await, Ok(true));
    assert_eq!(s.answer_device_request("user-a", Some("g1"), NOW + 599_999).await, Ok(true), "the same once more");
    assert_eq!(s.answer_device_request("user-a", Some("g2"), NOW + 5).await, Ok(false));
    assert_eq!(s.answer_device_request("user-a", None, NOW + 5).await, Ok(false));
    assert_eq!(s.use_device_request("device-a", NOW + 6).await, Ok(true));
    assert_eq!(s.use_device_request("device-a", NOW + 7).await, Ok(false));
    let now = DeviceRequestRecord { grant: Some("g1".into()), used_ms: Some(NOW + 6), ..a };
    assert_eq!(s.device_request("device-a").await, Ok(Some(now)));
    assert_eq!(s.answer_device_request("user-b", None, NOW + 3).await, Ok(true));
    assert_eq!(s.answer_device_request("user-b", Some("g1"), NOW + 4).await, Ok(false), "refused is refused");
    assert_eq!(s.use_device_request("device-b", NOW + 4).await, Ok(false));
    assert_eq!(s.device_request("device-b").await, Ok(Some(DeviceRequestRecord { denied_ms: Some(NOW + 3), ..b })));
    assert_eq!(s.revision().await, Ok(Revision(0)), "no revision is taken");
}

pub(in crate::conformance) async fn a_request_for_more_is_found_by_whose_grant_it_is_about(store: Arc<dyn Store>) {
    let s = &*store;
    let bobs = GrantRecord { identity: "local/bob".into(), ..grant("g3", "") };
    let over = GrantRecord { expires_ms: NOW + 60_000, ..grant("g2", "") };
    for one in [grant("g1", ""), over, bobs] {
        s.insert_grant(&step(s, "granted").await, &one, None).await.unwrap();
    }
    let more = |name: &str, grant: &str, created_ms: i64| DeviceRequestRecord {
        application: String::new(),
        for_grant: Some(grant.into()),
        reason: Some("Ω <b>".into()),
        life_ms: Some(3_600_000),
        jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into()),
        created_ms,
        ..request(name)
    };
    let (first, second) = (more("b", "g1", NOW - 2), more("a", "g2", NOW - 1));
    let others = [more("c", "g3", NOW), request("d"), more("e", "g1", NOW), more("f", "g1", NOW), more("g", "gone", NOW)];
    for record in others.iter().chain([&second, &first]) {
        s.insert_device_request(record).await.unwrap();
        assert_eq!(s.device_request(&record.device_hash).await, Ok(Some(record.clone())));
    }
    s.answer_device_request("user-e", None, NOW).await.unwrap();
    s.answer_device_request("user-f", Some("g9"), NOW).await.unwrap();
    assert_eq!(s.open_requests_of("local/ann", NOW).await, Ok(vec![first.clone(), second]));
    assert_eq!(s.open_requests_of("local/ann", NOW + 60_000).await, Ok(vec![first]), "the other grant is over");
    assert_eq!(s.open_requests_of("local/ann", NOW + 600_000).await, Ok(vec![]), "and so is the request");
    s.revoke_grants(&step(s, "revoked").await, &texts(&["g1", "g2"]), "ann", "").await.unwrap();
    assert_eq!(s.open_requests_of("local/ann", NOW).await, Ok(vec![]));
}

pub(in crate::conformance) async fn of_many_answers_and_uses_at_once_one_is_the_first(store: Arc<dyn Store>) {
    type Answers<'a> = Vec<Pin<Box<dyn Future<Output = bool> + Send + 'a>>>;
    let s = &*store;
    s.insert_device_request(&request("a")).await.unwrap();
    let mut answers: Answers<'_> = Vec::new();
    for number in 0..32 {
        answers.push(Box::pin(async move {
            let grant = format!("g{number}");
            s.answer_device_request("user-a", (number % 2 == 0).then_some(&*grant), NOW).await.unwrap()
        }));
    }
    assert_eq!(at_once(answers).await.into_iter().filter(|is_first| *is_first).count(), 1);
    s.insert_device_request(&request("b")).await.unwrap();
    s.answer_device_request("user-b", Some("g"), NOW).await.unwrap();
    let mut uses: Answers<'_> = Vec::new();
    for at_ms in 0..32 {
        uses.push(Box::pin(async move { s.use_device_request("device-b", NOW + at_ms).await.unwrap() }));
    }
    assert_eq!(at_once(uses).await.into_iter().filter(|is_first| *is_first).count(), 1);
}

pub(in crate::conformance) async fn a_device_that_asks_too_often_has_to_wait_longer(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.note_device_poll("device-a", NOW).await, Ok(false), "there is none");
    s.insert_device_request(&request("a")).await.unwrap();
    assert_eq!(s.note_device_poll("device-a", NOW).await, Ok(true), "the first one");
    assert_eq!(s.note_device_poll("device-a", NOW + 4_999).await, Ok(false));
    assert_eq!(s.note_device_poll("device-a", NOW + 5_000).await, Ok(false), "the interval is ten seconds now");
    assert_eq!(s.note_device_poll("device-a", NOW + 15_000).await, Ok(true));
    for _ in 0..20 {
        assert_eq!(s.note_device_poll("device-a", NOW + 15_000).await, Ok(false));
    }
    let now = s.device_request("device-a").await.unwrap().unwrap();
    assert_eq!((now.interval_ms, now.polled_ms), (LONGEST_DEVICE_INTERVAL_MS, Some(NOW + 15_000)));
    assert_eq!(s.note_device_poll("device-a", NOW + 15_000 + LONGEST_DEVICE_INTERVAL_MS).await, Ok(true));
}

pub(in crate::conformance) async fn a_request_of_a_device_is_pruned_after_it_was_said_that_it_has_ended(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_device_request(&request("a")).await.unwrap();
    s.prune(NOW + 600_000 + DEVICE_AFTERLIFE_MS - 1).await.unwrap();
    assert!(s.device_request("device-a").await.unwrap().is_some());
    s.prune(NOW + 600_000 + DEVICE_AFTERLIFE_MS).await.unwrap();
    assert_eq!(s.device_request("device-a").await, Ok(None));
}
