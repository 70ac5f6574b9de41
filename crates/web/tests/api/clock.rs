//! What is answered while the server's own clock is wrong.

use std::sync::atomic::Ordering;

use crate::support::{Answer, HOST, Node, PORT, START_MS, api, call, node, root};
use serde_json::json;

/// A node whose clock was put back by two hours after its last change.
async fn node_behind() -> Node {
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
    let node = node_behind().await;
    let header = call("GET", "/x").by(root()).request(START_MS).headers()["authorization"].to_str().unwrap().to_owned();
    let question = json!({ "method": "get", "resource": "/x", "host": HOST, "port": PORT, "authorization": header });
    unavailable(&node.send(api("POST", "/authenticate-hawk").json(question.clone())).await);
    // In a form that is read the long way.
    unavailable(&node.send(api("POST", "/authenticate-hawk").raw("application/json", format!(" {question}\n"))).await);
    let nobody = json!({ "method": "get", "resource": "/x", "host": HOST, "port": PORT });
    assert_eq!(node.send(api("POST", "/authenticate-hawk").json(nobody)).await.json["status"], "no-auth", "nothing that could have ended");
}

#[tokio::test]
async fn our_own_callers_are_told_so_too() {
    let node = node_behind().await;
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
    for (answer, exposed) in [(stale, "Date, Falconer-Refusal"), (node.send(api("GET", "/ping")).await, "Date")] {
        assert_eq!(answer.header("date"), Some(httpdate::fmt_http_date(now).as_str()));
        assert_eq!(answer.header("access-control-expose-headers"), Some(exposed));
    }
}

#[tokio::test]
async fn monitoring_sees_it() {
    let node = node_behind().await;
    unavailable(&node.send(api("GET", "/__heartbeat__")).await);
    let at_root = node.send(call("GET", "/__heartbeat__")).await;
    assert_eq!((at_root.status.as_u16(), &at_root.json["error"]), (503, &json!("Service unavailable")));
    assert!(at_root.json["message"].as_str().unwrap().contains("2 hours behind"));
    assert_eq!(node.send(api("GET", "/__lbheartbeat__")).await.status, 200, "it takes requests");
    node.clock.0.store(START_MS, Ordering::SeqCst);
    assert_eq!(node.send(call("GET", "/__heartbeat__")).await.status, 200);
}

/// One change while the clock was ahead shut everybody out for as long, and no command helped.
#[tokio::test]
async fn a_change_at_a_time_that_nobody_believes_is_refused() {
    let node = node().await;
    node.new_client("there", &[]).await;
    node.clock.0.store(START_MS + 400 * 86_400_000, Ordering::SeqCst);
    let refused = node.send(api("POST", "/clients/there/disable").by(root())).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "ServiceUnavailable"));
    assert!(refused.message().contains("400 days ahead") && refused.message().contains("falconer clock accept"), "{}", refused.message());
    assert_eq!(node.send(api("GET", "/clients/there").by(root())).await.json["disabled"], false);
    node.auth.accept_time().await.unwrap();
    assert_eq!(node.send(api("POST", "/clients/there/disable").by(root())).await.status, 200, "it was confirmed");
    node.clock.0.store(START_MS, Ordering::SeqCst);
    assert_eq!(node.send(api("GET", "/clients/there").by(root())).await.status, 503);
    node.auth.accept_time().await.unwrap();
    assert_eq!(node.send(api("GET", "/clients/there").by(root())).await.status, 200);
    let history = node.send(api("GET", "/clients/static%2Ffalconer%2Fauth/audit?limit=100").by(root())).await;
    let rows = history.json["auditHistory"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["entityType"] == "clock" && row["actionType"] == "accepted").count(), 2, "{rows:?}");
}
