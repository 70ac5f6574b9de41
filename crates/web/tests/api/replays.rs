//! A signed request that is sent twice.

use std::sync::Arc;

use crate::support::{Answer, HOST, Node, PORT, TestRandom, api, node, root};
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
