//! What is there twice: keys of JSON and headers, of which two readers could each take another one.

use crate::support::{api, call, node, root};
use serde_json::json;

/// Our own API refuses a key that is there twice; the protocol takes the last.
#[tokio::test]
async fn keys_that_are_there_twice() {
    let node = node().await;
    let twice = r#"{"scopes":["a"],"scopes":["b"]}"#;
    let protocol = node.send(api("POST", "/scopes/expand").by(root()).raw("application/json", twice)).await;
    assert_eq!((protocol.status.as_u16(), protocol.json["scopes"].clone()), (200, serde_json::json!(["b"])));
    let falconer =
        |path: &str, body: &str| call("POST", &format!("/api/falconer/v1{path}")).by(root()).raw("application/json", body.to_owned());
    for (path, body) in
        [("/import", r#"{"records":[{"kind":"role","roleId":"a","roleId":"b","scopes":[]}]}"#), ("/checks", r#"{"checks":[],"checks":[]}"#)]
    {
        let answer = node.send(falconer(path, body)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "MalformedPayload"), "{path}: {}", answer.message());
        assert!(answer.message().contains("is there twice"), "{}", answer.message());
    }
}

/// A proxy, a cache and Falconer could each take another one of two headers. The API took the first, and ignored the other one.
#[tokio::test]
async fn headers_that_are_there_twice() {
    let node = node().await;
    let signature = || api("GET", "/ping").by(root());
    let mut doubled = api("GET", "/scopes/current").by(root());
    let signed = doubled.request(node.now_ms());
    let same = signed.headers()["authorization"].to_str().unwrap().to_owned();
    for (name, other) in
        [("the same", same.as_str()), ("another one", "Hawk id=\"nobody\""), ("another scheme", "Basic YTpi"), ("an empty one", "")]
    {
        doubled.headers = vec![("authorization".to_owned(), other.to_owned())];
        let answer = node.send(doubled.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (401, "AuthenticationFailed"), "{name}: {}", answer.message());
        assert_eq!(answer.message(), "There are several Authorization headers: send one", "{name}");
    }
    let put = api("PUT", "/clients/x")
        .by(root())
        .header("authorization", "Basic YTpi")
        .json(json!({"expires": "2030-01-01T00:00:00Z", "description": ""}));
    assert_eq!(node.send(put).await.status, 401);
    assert_eq!(node.send(api("GET", "/clients/x").by(root())).await.status, 404, "and nothing was written");
    let check = call("POST", "/api/auth/v1/test-authenticate").by(root()).header("authorization", "x");
    assert_eq!(node.send(check.json(json!({"clientScopes": [], "requiredScopes": []}))).await.status, 401);
    // Where nobody has to say who they are it does not matter.
    assert_eq!(node.send(signature().header("authorization", "x")).await.status, 200);
    let demanded = signature().header("falconer-at-least", "0").header("falconer-at-least", "999999999");
    let answer = node.send(demanded).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "InvalidRequestArguments"), "{}", answer.message());
    let events = call("GET", "/api/falconer/v1/events").by(root()).header("last-event-id", "1").header("last-event-id", "2");
    assert_eq!(node.send(events).await.status, 400);
}
