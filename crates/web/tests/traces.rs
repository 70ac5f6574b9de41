//! What the answers that show a token once leave in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(target_os = "linux")]

#[path = "../../auth/tests/common/memory.rs"]
mod memory;
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::Secret;
use http_body_util::BodyExt as _;
use memory::{copies, mask};
use serde_json::json;
use support::{Call, Node, ROOT, ROOT_TOKEN, api, call, node_configured, root, static_client};
use zeroize::Zeroizing;

/// Sends a call, reads its answer like a connection, and keeps the token in it in the other form only.
async fn token_of(node: &Node, call: Call, member: &str) -> Vec<u8> {
    let answer = node.api.answer(call.request(node.now_ms())).await;
    assert_eq!(answer.status(), 200);
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let before = format!("\"{member}\": \"");
    let at = bytes.windows(before.len()).position(|window| window == before.as_bytes()).unwrap() + before.len();
    let masked: Vec<u8> = mask(bytes[at..].split(|byte| *byte == b'"').next().unwrap());
    assert!(masked.len() >= 44);
    masked
}

/// What two slugids stand for, in the other form, of their text in the other form.
fn bytes_of(token: &[u8]) -> Vec<u8> {
    const SLUGID: usize = 22;
    let text = Zeroizing::new(mask(token));
    let mut bytes = Zeroizing::new([0_u8; 32]);
    for (slugid, part) in text.chunks_exact(SLUGID).zip(bytes.chunks_exact_mut(16)) {
        URL_SAFE_NO_PAD.decode_slice_unchecked(slugid, part).unwrap();
    }
    mask(&*bytes)
}

/// Each token that was shown stood in memory until something else was written there.
#[tokio::test]
async fn a_token_that_was_shown_is_wiped() {
    let clients = vec![static_client(ROOT, ROOT_TOKEN, &["*"], "root")];
    let node = node_configured(clients, &[], &[], |settings| settings.websocktunnel_secret = Some(Secret::new("s".repeat(40)))).await;
    let record = json!({ "expires": "2030-01-01T00:00:00Z", "description": "long enough for the answer to grow".repeat(9) });
    let mut imported = record.clone();
    imported["clientId"] = json!("imported");
    imported["scopes"] = json!([]);
    let ended = [
        ("createClient", token_of(&node, api("PUT", "/clients/made").by(root()).json(record), "accessToken").await),
        ("resetAccessToken", token_of(&node, api("POST", "/clients/made/reset").by(root()), "accessToken").await),
        (
            "importBatch",
            token_of(
                &node,
                call("POST", "/api/falconer/v1/import").by(root()).json(json!({ "roles": [], "clients": [imported] })),
                "accessToken",
            )
            .await,
        ),
        ("websocktunnelToken", token_of(&node, api("GET", "/websocktunnel/audience/client").by(root()), "token").await),
    ];
    // A client that was not used yet has its token as the bytes of two slugids.
    let bytes = bytes_of(&ended[1].1);
    assert!(copies(&bytes) > 0, "what is there is found");
    for id in ["made", "imported"] {
        assert_eq!(node.send(api("DELETE", &format!("/clients/{id}")).by(root())).await.status, 204);
    }
    for (method, token) in &ended {
        assert_eq!(copies(token), 0, "{method}");
    }
    assert_eq!(copies(&bytes), 0, "what is kept in the place of the text");
}
