//! What is answered while the server's own clock is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::atomic::Ordering;

use serde_json::json;
use support::{Answer, HOST, Node, PORT, START_MS, api, call, node, root};

/// A node whose clock was put back by two hours after its last change.
async fn behind() -> Node {
    let node = node().await;
    node.new_client("there", &[]).await;
    node.clock.0.store(START_MS - 2 * 3_600_000, Ordering::SeqCst);
    node
}

fn unavailable(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "ServiceUnavailable"), "{}", answer.json);
    assert!(answer.message().contains("The clock of this server is 2 hours behind the time of its last change"), "{}", answer.message());
    assert_eq!(answer.header("retry-after"), Some("30"));
}

/// `authenticateHawk` answered 200 with `auth-failed`, so that services told their callers 401.
#[tokio::test]
async fn a_service_is_told_that_the_server_is_at_fault() {
    let node = behind().await;
    let header = call("GET", "/x").by(root()).request(START_MS).headers()["authorization"].to_str().unwrap().to_owned();
    let asked = json!({ "method": "get", "resource": "/x", "host": HOST, "port": PORT, "authorization": header });
    unavailable(&node.send(api("POST", "/authenticate-hawk").json(asked.clone())).await);
    // In a form that is read the long way.
    unavailable(&node.send(api("POST", "/authenticate-hawk").raw("application/json", format!(" {asked}\n"))).await);
    let nobody = json!({ "method": "get", "resource": "/x", "host": HOST, "port": PORT });
    assert_eq!(node.send(api("POST", "/authenticate-hawk").json(nobody)).await.json["status"], "no-auth", "nothing that could have ended");
}

#[tokio::test]
async fn our_own_callers_are_told_so_too() {
    let node = behind().await;
    unavailable(&node.send(api("GET", "/clients/").by(root())).await);
    unavailable(&node.send(api("DELETE", "/clients/there").by(root())).await);
    assert_eq!(node.send(api("GET", "/ping")).await.status, 200);
}

/// A caller whose clock is wrong was told `Stale timestamp` and nothing that it could set its clock by; a page could not even read `Date`.
#[tokio::test]
async fn the_time_is_told_with_a_401_and_to_whoever_asks() {
    let node = node().await;
    node.advance(3_600_000);
    let early = api("GET", "/clients/").by(root());
    let stale = Answer::of(node.api.answer(early.request(START_MS)).await).await;
    assert_eq!((stale.status.as_u16(), stale.message().starts_with("Unauthorized: Stale timestamp")), (401, true));
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(node.now_ms()).unwrap());
    for answer in [stale, node.send(api("GET", "/ping")).await] {
        assert_eq!(answer.header("date"), Some(httpdate::fmt_http_date(now).as_str()));
        assert_eq!(answer.header("access-control-expose-headers"), Some("Date"));
    }
}
