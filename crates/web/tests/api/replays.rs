//! A signed request that is sent twice.

use std::sync::Arc;

use crate::support::{Answer, HOST, Node, PORT, ROOT, ROOT_TOKEN, TestRandom, api, node, root};
use falconer_credentials::{AccessToken, sign};
use falconer_web::api::Api;
use falconer_web::{PublicOrigin, RequestLimits, VersionInfo, WebSettings};
use serde_json::json;

async fn node_that_refuses(refuse_replays: bool) -> Node {
    let mut node = node().await;
    let settings = WebSettings {
        public_origin: PublicOrigin::parse(&format!("http://{HOST}:{PORT}")).unwrap(),
        trusted_proxies: vec![],
        version: VersionInfo::default(),
        limits: RequestLimits { refuse_replays, ..RequestLimits::default() },
    };
    node.api = Api::new(node.auth.clone(), node.login.clone(), node.grants.clone(), settings, Arc::new(TestRandom::new()), Arc::default());
    node
}

/// What arrives when the same bytes are sent once more.
async fn repeat(node: &Node, call: &crate::support::Call, signed_ms: i64, at_ms: i64) -> Answer {
    node.advance(at_ms - node.now_ms());
    Answer::of(node.api.answer(call.request(signed_ms)).await).await
}

/// Whoever had recorded a change could make it again for 15 minutes, and nothing could be set against it.
#[tokio::test]
async fn a_signature_changes_something_once_where_the_operator_wants_that() {
    let role = json!({ "description": "", "scopes": ["a"] });
    for refuse in [false, true] {
        let node = node_that_refuses(refuse).await;
        let create = api("PUT", "/roles/r").by(root()).json(role.clone());
        let start = node.now_ms();
        assert_eq!(repeat(&node, &create, start, start).await.status, 200);
        let second = repeat(&node, &create, start, start + 14 * 60_000).await;
        assert_eq!(second.status.as_u16(), if refuse { 401 } else { 200 });
        if refuse {
            assert!(second.message().starts_with("Unauthorized: This signature was used before."), "{}", second.message());
        }
        // Signed anew, the same change is made; what changes nothing is read as often as one likes.
        assert_eq!(repeat(&node, &create, start + 60_000, start + 14 * 60_000).await.status, 200);
        let read = api("GET", "/roles/r").by(root());
        for _ in 0..2 {
            assert_eq!(repeat(&node, &read, start + 60_000, start + 14 * 60_000).await.status, 200);
        }
    }
}

/// A header of the change whose MAC ends in `ts=`, as one of 1,024 does: its attributes.
fn signed_with_a_mac_like_an_attribute(path: &str, now_ms: i64) -> Vec<String> {
    let token = AccessToken::new(ROOT_TOKEN.to_owned());
    let of_nonce = |number: i32| {
        let nonce = number.to_string();
        let (resource, ts_seconds) = (path, now_ms / 1000);
        let request = sign::Request { method: "PUT", resource, host: HOST, port: PORT, ts_seconds, nonce: &nonce, ..Default::default() };
        sign::header(ROOT, &token, &request)
    };
    let header = (0..100_000).map(of_nonce).find(|header| header.ends_with("ts=\"")).unwrap();
    header.strip_prefix("Hawk ").unwrap().split(", ").map(str::to_owned).collect()
}

/// Each order of these.
fn orders(of: &[String]) -> Vec<Vec<String>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let first = |at: usize| {
        let mut others = of.to_vec();
        let first = others.remove(at);
        orders(&others).into_iter().map(move |others| [vec![first.clone()], others].concat())
    };
    (0..of.len()).flat_map(first).collect()
}

/// What was remembered was cut out of the header's text. A MAC that ends in `ts=` was taken for the time, so that the same signature was another one for each
/// way to write it.
#[tokio::test]
async fn a_signature_is_the_same_however_its_header_is_written() {
    let node = node_that_refuses(true).await;
    let create = api("PUT", "/roles/r").json(json!({ "description": "", "scopes": ["a"] }));
    let attributes = signed_with_a_mac_like_an_attribute(&create.path, node.now_ms());
    assert!(attributes.iter().any(|attribute| attribute.starts_with("mac=") && attribute.ends_with("ts=\"")), "{attributes:?}");
    let mut answers = Vec::new();
    for order in orders(&attributes) {
        for comma in [", ", ",", ",  ", " ,\t"] {
            let header = format!("Hawk {}", order.join(comma));
            answers.push(repeat(&node, &create.clone().header("authorization", &header), node.now_ms(), node.now_ms()).await);
        }
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [vec![200], vec![401; 24 * 4 - 1]].concat());
    assert!(answers.iter().skip(1).all(|answer| answer.message().starts_with("Unauthorized: This signature was used before.")));
}
