//! What the answers that show a token once leave in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead as _, Read as _, Seek as _, SeekFrom};

use falconer_auth::Secret;
use http_body_util::BodyExt as _;
use serde_json::json;
use support::{Call, Node, ROOT, ROOT_TOKEN, api, call, node_configured, root, static_client};

const MASK: u8 = 0x5a;

/// How often it stands in what this process can write to. It is given in another form, so that only copies of the text itself are found.
fn copies(masked: &[u8]) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (begin, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (begin, end) = (u64::from_str_radix(begin, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - begin).unwrap()];
        if memory.seek(SeekFrom::Start(begin)).is_ok() && memory.read_exact(&mut bytes).is_ok() {
            // In optimised steps: this is a hundred megabytes.
            let mut rest = bytes.as_slice();
            while rest.skip_until(masked[0] ^ MASK).unwrap() > 0 {
                let is_here = rest.len() >= masked.len() - 1 && rest.iter().zip(&masked[1..]).all(|(a, b)| a ^ MASK == *b);
                found += usize::from(is_here);
            }
        }
        // Else the next look finds what this one has read.
        bytes.fill(0);
    }
    found
}

/// Sends a call, reads its answer like a connection, and keeps the token in it in the other form only.
async fn token_of(node: &Node, call: Call, member: &str) -> Vec<u8> {
    let answer = node.api.answer(call.request(node.now_ms())).await;
    assert_eq!(answer.status(), 200);
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let before = format!("\"{member}\": \"");
    let at = bytes.windows(before.len()).position(|window| window == before.as_bytes()).unwrap() + before.len();
    let masked: Vec<u8> = bytes[at..].iter().take_while(|byte| **byte != b'"').map(|byte| byte ^ MASK).collect();
    assert!(masked.len() >= 44);
    masked
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
    assert!(copies(&ended[1].1) > 0, "what is there is found");
    for id in ["made", "imported"] {
        assert_eq!(node.send(api("DELETE", &format!("/clients/{id}")).by(root())).await.status, 204);
    }
    for (method, token) in &ended {
        assert_eq!(copies(token), 0, "{method}");
    }
}
