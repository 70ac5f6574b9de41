//! Which applications know of a session, and how they are told that it has ended.

use std::sync::Arc;

use crate::conformance::at_once::at_once;
use crate::conformance::samples::{NOW, session, step, texts};
use crate::{LogoutRecord, SessionApplication, Store};

fn known(session: &str, application: &str, sid: &str) -> SessionApplication {
    SessionApplication {
        session: session.to_owned(),
        application: application.to_owned(),
        sid: sid.to_owned(),
        subject: "p1".to_owned(),
        uri: format!("https://{application}.example/out"),
        kept_until_ms: NOW + 1000,
    }
}

fn end(application: &str, sid: &str, tries: u32) -> LogoutRecord {
    let SessionApplication { application, sid, subject, uri, .. } = known("", application, sid);
    LogoutRecord { sid, application, subject, uri, tries }
}

/// All that is due, claimed for a while.
async fn due(store: &dyn Store, now_ms: i64) -> Vec<LogoutRecord> {
    store.claim_due_logouts(now_ms, now_ms + 100, 100, 100).await.unwrap()
}

pub(crate) async fn an_application_knows_a_session_by_one_name(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.note_session_application(&known("h1", "wiki", "s1")).await, Ok(None), "there is no such session");
    assert_eq!(s.knows_session("s1").await, Ok(false));
    for hash in ["h1", "h2"] {
        s.insert_session(&session(hash, "local/ann")).await.unwrap();
    }
    assert_eq!(s.note_session_application(&known("h1", "wiki", "s1")).await.unwrap().as_deref(), Some("s1"));
    assert_eq!(s.note_session_application(&known("h1", "wiki", "s2")).await.unwrap().as_deref(), Some("s1"), "that of before");
    assert_eq!(s.note_session_application(&known("h1", "notes", "s3")).await.unwrap().as_deref(), Some("s3"));
    assert_eq!(s.note_session_application(&known("h2", "wiki", "s4")).await.unwrap().as_deref(), Some("s4"));
    assert_eq!((s.knows_session("s1").await, s.knows_session("s2").await), (Ok(true), Ok(false)));
    s.delete_session("h1").await.unwrap();
    assert_eq!((s.knows_session("s1").await, s.knows_session("s4").await), (Ok(false), Ok(true)));
    // What ends by its time is told to nobody.
    s.prune(NOW + 1000).await.unwrap();
    assert_eq!(s.knows_session("s4").await, Ok(false));
    assert_eq!(due(s, NOW).await, [end("wiki", "s1", 0), end("notes", "s3", 0)]);
}

pub(crate) async fn the_end_of_a_session_is_due_at_once_for_those_who_know_it(store: Arc<dyn Store>) {
    let s = &*store;
    for (hash, identity) in [("h1", "local/ann"), ("h2", "local/ann"), ("h3", "local/bob"), ("h4", "oidc/ann"), ("h5", "local/eve")] {
        s.insert_session(&session(hash, identity)).await.unwrap();
        s.note_session_application(&known(hash, "wiki", &format!("s-{hash}"))).await.unwrap();
    }
    assert!(due(s, NOW).await.is_empty());
    assert_eq!(s.delete_sessions_of("local/ann", Some("h2")).await, Ok(1));
    assert_eq!(due(s, NOW).await, [end("wiki", "s-h1", 0)]);
    assert!(due(s, NOW).await.is_empty(), "it is claimed");
    assert_eq!(s.delete_sessions_of("local/ann", None).await, Ok(1));
    assert_eq!(due(s, NOW).await, [end("wiki", "s-h2", 0)]);
    s.end_sessions(&step(s, "signed out").await, &texts(&["local/bob", "oidc/ann"])).await.unwrap();
    assert_eq!(due(s, NOW).await, [end("wiki", "s-h3", 0), end("wiki", "s-h4", 0)]);
    for sid in ["s-h1", "s-h2", "s-h3", "s-h4", "s-h1"] {
        s.delete_logout(sid).await.unwrap();
    }
    assert!(due(s, NOW + 100).await.is_empty());
    assert_eq!(s.knows_session("s-h5").await, Ok(true));
}

pub(crate) async fn a_session_that_goes_on_as_another_one_keeps_its_names(store: Arc<dyn Store>) {
    let s = &*store;
    for hash in ["h1", "h2", "h3"] {
        s.insert_session(&session(hash, "local/ann")).await.unwrap();
    }
    s.note_session_application(&known("h1", "wiki", "s1")).await.unwrap();
    s.succeed_session("h1", "h2").await.unwrap();
    assert_eq!((s.session("h1").await, s.knows_session("s1").await), (Ok(None), Ok(true)));
    assert!(due(s, NOW).await.is_empty());
    assert_eq!(s.note_session_application(&known("h2", "wiki", "s2")).await.unwrap().as_deref(), Some("s1"));
    s.succeed_session("h2", "gone").await.unwrap();
    assert_eq!(due(s, NOW).await, [end("wiki", "s1", 0)], "it has gone on as nothing");
    assert_eq!(s.session("h2").await, Ok(None));
}

pub(crate) async fn what_came_to_nothing_is_due_later(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_session(&session("h1", "local/ann")).await.unwrap();
    s.note_session_application(&known("h1", "wiki", "s1")).await.unwrap();
    s.delete_session("h1").await.unwrap();
    assert_eq!(due(s, NOW).await, [end("wiki", "s1", 0)]);
    assert!(due(s, NOW + 99).await.is_empty());
    assert_eq!(due(s, NOW + 100).await, [end("wiki", "s1", 0)], "nobody said what came of it");
    s.put_logout_off("s1", NOW + 150).await.unwrap();
    s.put_logout_off("gone", NOW).await.unwrap();
    assert!(due(s, NOW + 149).await.is_empty());
    assert_eq!(due(s, NOW + 150).await, [end("wiki", "s1", 1)]);
}

pub(crate) async fn one_application_takes_so_many_places(store: Arc<dyn Store>) {
    let s = &*store;
    for number in 0..6 {
        let hash = format!("h{number}");
        s.insert_session(&session(&hash, "local/ann")).await.unwrap();
        let application = if number == 5 { "notes" } else { "wiki" };
        s.note_session_application(&known(&hash, application, &format!("s{number}"))).await.unwrap();
    }
    s.delete_sessions_of("local/ann", None).await.unwrap();
    let sids = async |limit, of_one| {
        let due = s.claim_due_logouts(NOW, NOW + 100, limit, of_one).await.unwrap();
        due.into_iter().map(|end| end.sid).collect::<Vec<_>>()
    };
    assert_eq!(sids(10, 2).await, ["s0", "s1", "s5"]);
    assert_eq!(sids(1, 2).await, ["s2"]);
    assert_eq!(sids(10, 2).await, ["s3", "s4"]);
}

pub(crate) async fn of_many_who_claim_each_is_given_other_ends(store: Arc<dyn Store>) {
    let s = &*store;
    for number in 0..40 {
        let hash = format!("h{number:02}");
        s.insert_session(&session(&hash, "local/ann")).await.unwrap();
        let application = format!("app{}", number % 5);
        s.note_session_application(&known(&hash, &application, &format!("s{number:02}"))).await.unwrap();
    }
    s.delete_sessions_of("local/ann", None).await.unwrap();
    let mut claims: Vec<std::pin::Pin<Box<dyn Future<Output = Vec<LogoutRecord>> + Send + '_>>> = Vec::new();
    for _ in 0..8 {
        claims.push(Box::pin(async move { s.claim_due_logouts(NOW, NOW + 100, 5, 2).await.unwrap() }));
    }
    let claimed = at_once(claims).await.into_iter().flatten();
    let mut claimed: Vec<String> = claimed.chain(due(s, NOW).await).map(|end| end.sid).collect();
    claimed.sort_unstable();
    assert_eq!(claimed, (0..40).map(|number| format!("s{number:02}")).collect::<Vec<_>>());
}
