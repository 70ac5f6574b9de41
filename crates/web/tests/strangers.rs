//! What a stranger may cost, as a table: each row is a request that once took much more than it was worth, from somebody who has no credentials.
//! What is counted is the memory that answering it asked for, and the bytes of the answer: both are the same in every run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::alloc::System;
use std::io::Write;

use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use support::{Call, Node, api, call, client, node, root};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Of memory, asked for in all while one request is answered. Decompressors set aside half of it before they have read anything.
const MOST_MEMORY: usize = 512 * KIB;
/// Of one answer.
const MOST_ANSWER: usize = 64 * KIB;

fn brotli(bytes: &[u8], window_bits: u32) -> Vec<u8> {
    let mut out = Vec::new();
    brotli::CompressorWriter::new(&mut out, 4096, 9, window_bits).write_all(bytes).unwrap();
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(call: Call, encoding: &str, body: Vec<u8>) -> Call {
    call.raw("application/json", body).header("content-encoding", encoding)
}

fn hawk() -> Call {
    api("POST", "/authenticate-hawk")
}

fn check() -> Call {
    call("POST", "/api/falconer/v1/check")
}

fn checks() -> Call {
    call("POST", "/api/falconer/v1/checks")
}

fn question_text(required: &str) -> String {
    format!("{{\"request\":{{\"method\":\"get\",\"resource\":\"/\",\"host\":\"h\",\"port\":443}},\"required\":{required}}}")
}

fn question(required: &str) -> serde_json::Value {
    serde_json::from_str(&question_text(required)).unwrap()
}

/// An expression of so many scopes.
fn parts(count: usize, scope: &str) -> String {
    let scopes: Vec<String> = (0..count).map(|at| format!("\"{scope}{at}\"")).collect();
    format!("{{\"AllOf\":[{}]}}", scopes.join(","))
}

/// A list of lists of a hundred levels, 10 MiB of it.
fn nested() -> Vec<u8> {
    let one = format!("{}0{},", "[".repeat(100), "]".repeat(100));
    format!("[{}0]", one.repeat(10 * MIB / one.len() - 1)).into_bytes()
}

fn numbers() -> Vec<u8> {
    format!("[{}0]", "0,".repeat(5 * MIB - 2)).into_bytes()
}

fn scopes(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("s{at}")).collect()
}

/// What answering takes: status, bytes of memory, bytes of the answer.
async fn cost(node: &Node, call: Call) -> (u16, usize, usize) {
    let request = call.request(node.now_ms());
    let region = Region::new(ALLOCATOR);
    let response = node.api.answer(request).await;
    let memory = region.change().bytes_allocated;
    let answer = support::Answer::of(response).await;
    assert!(answer.status.is_success() || !answer.json.is_null(), "not in the protocol's shape");
    (answer.status.as_u16(), memory, answer.bytes.len())
}

/// One test, so that nothing else asks for memory meanwhile.
#[tokio::test]
async fn no_request_of_a_stranger_costs_much() {
    let node = node().await;
    let query: String = (0..2600).map(|at| format!("k{at}&")).collect();
    let create = || api("PUT", "/clients/x");
    let expires = "2030-01-01T00:00:00Z";
    let deep = format!("{{\"a\":{}0{}}}", "[".repeat(100), "]".repeat(100));
    let tester = || api("POST", "/test-authenticate").by(client("tester", "no-secret"));
    let keys: String = (0..8000).map(|at| format!("\"k{at}\":0,")).collect();
    let schema = falconer_wire::schemas::get(falconer_wire::Service::Auth, "github-repo-token-request").unwrap();
    let schema: serde_json::Value = serde_json::from_str(schema.json).unwrap();
    let permissions = schema["properties"]["permissions"]["properties"].as_object().unwrap();
    let permissions: serde_json::Map<_, _> = permissions.iter().map(|(name, what)| (name.clone(), what["enum"][0].clone())).collect();
    let github = json!({"permissions": permissions, "repositories": (0..900).map(|at| format!("r{at}")).collect::<Vec<_>>()});
    let many_empty = format!("{{\"AnyOf\":[{}]}}", vec!["{\"AnyOf\":[]}"; 250].join(","));
    let sixteen = vec![question_text(&parts(16, &"s".repeat(50))); 16].join(",");
    let sixteen = format!("{{\"checks\":[{sixteen}]}}");
    let deep_expression = format!("{}\"x\"{}", "{\"AllOf\":[".repeat(100), "]}".repeat(100));
    let prefixes: Vec<String> = (0..250).map(|n| format!("\"p{n}:\"")).collect();
    let rows: Vec<(&str, Call, u16)> = vec![
        ("a plain verification", hawk().json(json!({"method": "get", "resource": "/", "host": "h", "port": 443})), 200),
        ("nested lists, brotli", packed(hawk(), "br", brotli(&nested(), 22)), 413),
        ("nested lists, brotli of a small window", packed(hawk(), "br", brotli(&nested(), 16)), 413),
        ("nested lists, gzip", packed(hawk(), "gzip", gzip(&nested())), 413),
        ("nested lists, as they are", hawk().raw("application/json", nested()), 413),
        ("a plain check", check().json(question("\"x\"")), 200),
        ("an expression of many parts", check().raw("application/json", question_text(&parts(256, "s"))), 200),
        ("of more", check().raw("application/json", question_text(&parts(257, "s"))), 413),
        ("of many empty ones", check().raw("application/json", question_text(&many_empty)), 200),
        ("of long ones", check().raw("application/json", question_text(&parts(100, &"s".repeat(150)))), 200),
        ("of longer ones", check().raw("application/json", question_text(&parts(100, &"s".repeat(170)))), 413),
        ("of sixteen questions", checks().raw("application/json", sixteen), 200),
        ("of a hundred levels", check().raw("application/json", question_text(&deep_expression)), 400),
        ("of thousands of levels", check().raw("application/json", question_text(&"{\"AllOf\":[".repeat(5000))), 400),
        ("many prefixes", check().raw("application/json", question_text(&format!("\"x\",\"reveal\":[{}]", prefixes.join(",")))), 400),
        ("numbers to a method without a body", packed(api("GET", "/ping"), "gzip", gzip(&numbers())), 413),
        ("numbers, bad credentials", packed(api("GET", "/roles/").by(client("nobody", "x")), "gzip", gzip(&numbers())), 401),
        ("deep lists whose echo would be indented", create().raw("application/json", deep.clone()), 400),
        ("many values within the bytes", hawk().raw("application/json", format!("[{}0]", "0,".repeat(30_000))), 413),
        ("an object of many keys", create().raw("application/json", format!("{{{keys}\"z\":0}}")), 413),
        ("control characters in no JSON", create().raw("application/json", "\u{1}".repeat(60 * KIB)), 400),
        ("a query of many keys", api("GET", &format!("/ping?{query}")), 400),
        (
            "many scopes against many, of the public client",
            tester().json(json!({"clientScopes": scopes(10_000), "requiredScopes": scopes(10_000)})),
            413,
        ),
        ("as many as it may be", tester().json(json!({"clientScopes": scopes(250), "requiredScopes": scopes(250)})), 200),
        ("a client of many scopes", create().json(json!({"expires": expires, "description": "", "scopes": scopes(10_000)})), 413),
        ("a client of as many as it may be", create().json(json!({"expires": expires, "description": "", "scopes": scopes(1000)})), 403),
        ("permissions times repositories", api("POST", "/github/app/o/repo-token").json(github), 400),
        ("a revision that never comes", api("GET", "/ping").header("falconer-at-least", "999999999"), 503),
    ];
    // What is made once is made before anything is counted.
    for path in ["/openapi.json", "/api/auth/v1/ping"] {
        cost(&node, call("GET", path)).await;
    }
    cost(&node, check().json(question("1"))).await;
    let mut table = String::new();
    let mut over = Vec::new();
    for (name, call, expected) in rows {
        let sent = call.body.as_ref().map_or(0, Vec::len);
        let (status, memory, answer) = cost(&node, call).await;
        table += &format!("{name}: sent {sent}, status {status}, memory {memory}, answer {answer}\n");
        if status != expected || memory > MOST_MEMORY || answer > MOST_ANSWER {
            over.push(name);
        }
    }
    assert!(over.is_empty(), "{over:?}\n{table}");

    // What is the same for everybody is neither made nor copied.
    let (status, memory, answer) = cost(&node, call("GET", "/openapi.json")).await;
    assert!(status == 200 && answer > 200 * KIB && memory < 16 * KIB, "{memory}");

    // The same bodies are read for those who are known.
    let signed = |call: Call| call.by(root());
    let mut client_of_many = signed(create());
    client_of_many = client_of_many.json(json!({"expires": expires, "description": "", "scopes": scopes(10_000)}));
    assert_eq!(cost(&node, client_of_many).await.0, 200);
    assert_eq!(cost(&node, signed(packed(api("GET", "/roles/"), "gzip", gzip(&numbers())))).await.0, 200);

    // Story: a list of millions of entries was made before anybody looked whether it may be that long.
    let list = format!("{{\"scopes\":[{}\"\"]}}", "\"\",".repeat(3 * MIB));
    let sent = list.len();
    let (status, memory, _) = cost(&node, signed(api("POST", "/scopes/expand").raw("application/json", list))).await;
    assert!(status == 413 && memory < 3 * sent, "{status} {memory}");
    let small = brotli(br#"{"scopes":["a"]}"#, 22);
    assert_eq!(cost(&node, signed(packed(api("POST", "/scopes/expand"), "br", small))).await.0, 200);
}
