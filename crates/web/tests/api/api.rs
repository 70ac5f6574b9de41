//! The API's routes by kind of caller: every method that needs scopes has a row, and every kind of caller its verdict.

use crate::support::methods::rows;
use crate::support::{Answer, Credentials, Node, START_MS, api, client, node, root};
use falconer_auth::AccessToken;
use falconer_credentials::temporary;
use falconer_wire::METHODS;
use serde_json::json;

pub async fn furnished() -> Node {
    let node = node().await;
    node.new_client("there", &[]).await;
    node.new_role("there", &["y"]).await;
    node
}

pub fn refused(answer: &Answer, method: &str, kind: &str) {
    assert_eq!((answer.status.as_u16(), answer.code()), (403, "InsufficientScopes"), "{method} {kind}: {}", answer.json);
    assert_eq!(answer.json["requestInfo"]["method"], method);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

pub fn unknown(answer: &Answer, message: &str, method: &str, kind: &str) {
    assert_eq!((answer.status.as_u16(), answer.code()), (401, "AuthenticationFailed"), "{method} {kind}: {}", answer.json);
    assert_eq!(answer.message(), message, "{method} {kind}");
    assert_eq!(answer.header("www-authenticate"), Some("hawk"));
}

/// Temporary credentials of an hour, made from a client's own.
fn temporary_of(who: &Credentials, name: Option<&str>, scopes: &[&str], now_ms: i64) -> Credentials {
    let token = AccessToken::new(who.token.clone());
    let scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
    let issued = temporary::create(&who.id, &token, name, &scopes, now_ms, now_ms + 3_600_000, &"0123456789a".repeat(4)).unwrap();
    Credentials { certificate: Some(issued.certificate), ..client(&issued.client_id, issued.access_token.expose()) }
}

#[test]
fn every_method_is_public_or_has_a_row() {
    let rows = rows();
    for method in &METHODS {
        assert_eq!(method.scopes.is_some(), rows.iter().any(|r| r.method == method.name), "{}", method.name);
    }
}

#[tokio::test]
async fn anonymous_callers_are_refused_and_told_what_it_takes() {
    for row in rows() {
        let answer = furnished().await.send(row.call).await;
        refused(&answer, row.method, "anonymous");
        assert!(answer.message().starts_with("This request requires Taskcluster credentials"), "{}", answer.message());
        assert!(answer.message().contains(row.scopes[0]), "{}", answer.message());
    }
}

#[tokio::test]
async fn callers_without_the_scope_are_refused_by_name() {
    for row in rows() {
        let node = furnished().await;
        let who = node.new_client("poor", &["unrelated", "auth:nothing:*"]).await;
        let answer = node.send(row.call.by(who)).await;
        refused(&answer, row.method, "without");
        assert!(answer.message().starts_with("Client ID poor does not have sufficient scopes"), "{}", answer.message());
    }
}

#[tokio::test]
async fn each_scope_of_several_is_needed() {
    for row in rows().into_iter().filter(|r| r.scopes.len() > 1) {
        for left_out in row.scopes {
            let node = furnished().await;
            let rest: Vec<&str> = row.scopes.iter().copied().filter(|s| s != left_out).collect();
            let who = node.new_client("partly", &rest).await;
            refused(&node.send(row.call.clone().by(who)).await, row.method, left_out);
        }
    }
}

#[tokio::test]
async fn exactly_the_scopes_suffice() {
    for row in rows() {
        let node = furnished().await;
        let who = node.new_client("able", row.scopes).await;
        let answer = node.send(row.call.by(who)).await;
        assert_eq!(answer.status, row.status, "{}: {}", row.method, answer.json);
    }
}

#[tokio::test]
async fn authorized_scopes_narrow_a_request() {
    for row in rows() {
        let node = furnished().await;
        let who = node.new_client("able", &["*"]).await;
        refused(&node.send(row.call.clone().by(who.clone().restricted_to(&[]))).await, row.method, "narrowed to nothing");
        let answer = node.send(row.call.by(who.restricted_to(row.scopes))).await;
        assert_eq!(answer.status, row.status, "{}: {}", row.method, answer.json);
    }
}

#[tokio::test]
async fn temporary_credentials_count_for_what_they_hold() {
    for row in rows() {
        let node = furnished().await;
        let issuer = node.new_client("issuer", &["*"]).await;
        refused(&node.send(row.call.clone().by(temporary_of(&issuer, None, &["other"], START_MS))).await, row.method, "temporary");
        let named = temporary_of(&issuer, Some("some/name"), row.scopes, START_MS);
        let answer = node.send(row.call.by(named.clone())).await;
        assert_eq!(answer.status, row.status, "{}: {}", row.method, answer.json);
        node.advance(2 * 3_600_000);
        let later = node.send(api("GET", "/scopes/current").by(named)).await;
        unknown(&later, "ext.certificate.expiry < now", "currentScopes", "temporary, over");
    }
}

#[tokio::test]
async fn expired_clients_are_told_so_and_nobody_else_is() {
    for row in rows() {
        let node = furnished().await;
        let who = node.new_client("old", &["*"]).await;
        let impostor = client("old", "not-the-token");
        let past = json!({ "expires": "2001-01-01T00:00:00Z", "description": "" });
        assert_eq!(node.send(api("POST", "/clients/old").by(root()).json(past)).await.status, 200);
        unknown(&node.send(row.call.clone().by(who)).await, "Client with clientId: 'old' has expired", row.method, "expired");
        unknown(&node.send(row.call.by(impostor)).await, "Unauthorized: Bad mac", row.method, "impostor");
    }
}

#[tokio::test]
async fn disabled_clients_are_told_so_and_nobody_else_is() {
    for row in rows() {
        let node = furnished().await;
        let who = node.new_client("off", &["*"]).await;
        assert_eq!(node.send(api("POST", "/clients/off/disable").by(root())).await.status, 200);
        unknown(&node.send(row.call.clone().by(who)).await, "Client with clientId 'off' is disabled", row.method, "disabled");
        let silent = node.send(row.call.clone().by(client("off", "not-the-token"))).await;
        unknown(&silent, "Unauthorized: Bad mac", row.method, "impostor");
        let nobody = node.send(row.call.by(client("nobody-at-all", "not-the-token"))).await;
        assert_eq!(nobody.bytes, silent.bytes, "{}: unknown and disabled differ before the MAC", row.method);
    }
}

#[tokio::test]
async fn a_call_signed_for_another_host_is_worth_nothing() {
    for row in rows() {
        let node = furnished().await;
        let mut call = row.call.by(root());
        call.host = "evil.example".to_owned();
        call.signed_for = Some(("evil.example".to_owned(), 80));
        unknown(&node.send(call).await, "Unauthorized: Bad mac", row.method, "replayed");
    }
}

#[tokio::test]
async fn public_methods_need_nobody() {
    let node = furnished().await;
    for route in ["/ping", "/__lbheartbeat__", "/__heartbeat__", "/__version__"] {
        for call in
            [api("GET", route), api("GET", route).header("authorization", "Hawk garbage"), api("GET", route).by(client("nobody", "x"))]
        {
            assert_eq!(node.send(call).await.status, 200, "{route}");
        }
    }
}

#[tokio::test]
async fn a_public_anonymous_role_opens_methods_but_never_to_bad_credentials() {
    let node = furnished().await;
    node.new_role("anonymous", &["auth:current-scopes"]).await;
    let open = node.send(api("GET", "/scopes/current")).await;
    assert_eq!(open.json, json!({ "scopes": ["assume:anonymous", "auth:current-scopes"] }));
    unknown(&node.send(api("GET", "/scopes/current").by(client("nobody", "x"))).await, "Unauthorized: Bad mac", "currentScopes", "bad");
}

/// Story: with each method that was added, the room for the steps of all methods grew, and every call carried it along: a future is moved each time that
/// another one waits for it, whole, however much of it is in use. A call of expandScopes copied 280 KB about, and pushed all else out of the caches.
#[tokio::test]
async fn a_call_carries_no_room_for_other_methods_along() {
    let node = node().await;
    let request = api("POST", "/scopes/expand").request(node.now_ms());
    let room = size_of_val(&node.api.answer(request));
    assert!(room <= 6 * 1024, "{room} bytes");
}
