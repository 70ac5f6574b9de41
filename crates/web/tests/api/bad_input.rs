//! Bad input of every sort: never a 5xx, never a panic, always the code that fits.

use std::io::Write;

use crate::support::{Call, api, call, node, root};
use serde_json::json;

const MIB: usize = 1024 * 1024;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn expand() -> Call {
    api("POST", "/scopes/expand").by(root())
}

fn put_client() -> Call {
    api("PUT", "/clients/x").by(root())
}

fn hawk() -> Call {
    api("POST", "/authenticate-hawk")
}

#[tokio::test]
async fn bodies() {
    let node = node().await;
    let deep = "[".repeat(5000) + &"]".repeat(5000);
    let long = |length: usize| format!("{{\"scopes\":[\"{}\"]}}", "a".repeat(length));
    let many: Vec<String> = (0..10_001).map(|i| i.to_string()).collect();
    for (name, call, status, code) in [
        ("none", expand(), 400, "MalformedPayload"),
        ("wrong type", expand().raw("text/plain", "{}"), 400, "MalformedPayload"),
        ("empty", expand().raw("application/json", ""), 400, "InputValidationError"),
        ("half", expand().raw("application/json", "{\"scopes\":["), 400, "MalformedPayload"),
        ("two", expand().raw("application/json", "{} {}"), 400, "MalformedPayload"),
        ("null", expand().raw("application/json", "null"), 400, "MalformedPayload"),
        ("number beyond floats", expand().raw("application/json", "{\"scopes\":[1e999]}"), 400, "MalformedPayload"),
        (
            "number of many digits",
            expand().raw("application/json", format!("{{\"scopes\":[{}]}}", "9".repeat(400))),
            400,
            "MalformedPayload",
        ),
        ("deep", expand().raw("application/json", deep), 400, "MalformedPayload"),
        ("not UTF-8", expand().raw("application/json", b"{\"scopes\":[\"\xff\xfe\"]}".to_vec()), 400, "InputValidationError"),
        ("unknown charset", expand().raw("application/json; charset=klingon", "{}"), 400, "MalformedPayload"),
        ("replacement charset", expand().raw("application/json; charset=iso-2022-kr", "{}"), 400, "MalformedPayload"),
        ("unknown encoding", expand().raw("application/json", "{}").header("content-encoding", "x-unknown"), 400, "MalformedPayload"),
        ("not gzip", expand().raw("application/json", "{}").header("content-encoding", "gzip"), 400, "MalformedPayload"),
        ("not brotli", expand().raw("application/json", "{\"scopes\":[]}").header("content-encoding", "br"), 400, "MalformedPayload"),
        ("not deflate", expand().raw("application/json", "{}").header("content-encoding", "deflate"), 400, "MalformedPayload"),
        ("too large", expand().raw("application/json", long(10 * MIB)), 413, "InputTooLarge"),
        (
            "bomb",
            expand().raw("application/json", gzip(long(11 * MIB).as_bytes())).header("content-encoding", "gzip"),
            413,
            "InputTooLarge",
        ),
        ("too many scopes", expand().json(json!({ "scopes": many })), 413, "InputTooLarge"),
        ("array", expand().json(json!([])), 400, "InputValidationError"),
        ("unknown field", expand().json(json!({ "scopes": [], "x": 1 })), 400, "InputValidationError"),
        ("duplicate scopes", expand().json(json!({ "scopes": ["a", "a"] })), 400, "InputValidationError"),
        ("line end in a scope", expand().json(json!({ "scopes": ["a\n"] })), 400, "InputValidationError"),
        ("lone surrogate", expand().raw("application/json", r#"{"scopes":["\ud800"]}"#), 400, "InputValidationError"),
        ("leap second", put_client().json(json!({ "expires": "2030-12-31T23:59:60Z", "description": "" })), 400, "InputValidationError"),
        ("short zone", put_client().json(json!({ "expires": "2030-12-31T23:59:59+02", "description": "" })), 400, "InputValidationError"),
        (
            "year 10000",
            put_client().json(json!({ "expires": "9999-12-31T23:59:59-12:00", "description": "" })),
            400,
            "InputValidationError",
        ),
        ("NUL in a description", put_client().json(json!({ "expires": "2030-12-31T23:59:59Z", "description": "a\0b" })), 400, "InputError"),
        (
            "description beyond 10240",
            put_client().json(json!({ "expires": "2030-12-31T23:59:59Z", "description": "\u{e9}".repeat(10241) })),
            400,
            "InputValidationError",
        ),
        ("port 65536", hawk().json(json!({ "method": "get", "resource": "/", "host": "h", "port": 65536 })), 400, "InputValidationError"),
        ("port -1", hawk().json(json!({ "method": "get", "resource": "/", "host": "h", "port": -1 })), 400, "InputValidationError"),
        (
            "port 1e400",
            hawk().raw("application/json", r#"{"method":"get","resource":"/","host":"h","port":1e400}"#),
            400,
            "MalformedPayload",
        ),
        ("port 80.5", hawk().json(json!({ "method": "get", "resource": "/", "host": "h", "port": 80.5 })), 400, "InputValidationError"),
        (
            "host with port",
            hawk().json(json!({ "method": "get", "resource": "/", "host": "h:80", "port": 80 })),
            400,
            "InputValidationError",
        ),
        (
            "bad source",
            hawk().json(json!({ "method": "get", "resource": "/", "host": "h", "port": 80, "sourceIp": "1.2.3" })),
            400,
            "InputValidationError",
        ),
    ] {
        let answer = node.send(call).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{name}: {}",
            answer.message().chars().take(300).collect::<String>()
        );
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{name}");
        assert!(answer.bytes.len() < MIB, "{name}: an error of {} bytes", answer.bytes.len());
    }
}

#[tokio::test]
async fn odd_bodies_that_are_fine() {
    let node = node().await;
    let utf16: Vec<u8> = "\u{feff}{\"scopes\":[\"a\"]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut brotli = Vec::new();
    brotli::CompressorWriter::new(&mut brotli, 4096, 5, 22).write_all(b"{\"scopes\":[\"a\"]}").unwrap();
    for (name, call) in [
        ("byte order mark", expand().raw("application/json", "\u{feff}{\"scopes\":[\"a\"]}")),
        ("UTF-16", expand().raw("application/json; charset=utf-16le", utf16)),
        ("Latin-1", expand().raw("application/json;charset=\"ISO-8859-1\"", "{\"scopes\":[\"a\"]}")),
        ("gzip", expand().raw("application/json", gzip(b"{\"scopes\":[\"a\"]}")).header("content-encoding", "GZip")),
        ("brotli", expand().raw("application/json", brotli).header("content-encoding", "br")),
        ("identity", expand().raw("Application/JSON", "{\"scopes\":[\"a\"]}").header("content-encoding", "identity")),
        ("last of duplicate keys", expand().raw("application/json", "{\"scopes\":[\"b\"],\"scopes\":[\"a\"]}")),
    ] {
        let answer = node.send(call).await;
        assert_eq!(answer.json, json!({ "scopes": ["a"] }), "{name}: {}", answer.status);
    }
    let port = hawk().raw("application/json", r#"{"method":"get","resource":"/","host":"h","port":80.0}"#);
    assert_eq!(node.send(port).await.json["status"], "no-auth");
}

#[tokio::test]
async fn paths_and_queries() {
    let node = node().await;
    let get = |route: &str| api("GET", route).by(root());
    let nines = "9".repeat(400);
    for (name, call, status, code) in [
        ("unknown path", get("/nope"), 404, ""),
        ("unknown verb", api("PATCH", "/clients/x").by(root()), 404, ""),
        ("bad escape", get("/clients/%zz"), 400, ""),
        ("escape that is no UTF-8", get("/clients/%ff"), 400, ""),
        ("NUL in a clientId", get("/clients/a%00b"), 400, "InvalidRequestArguments"),
        ("line end in a roleId", get("/roles/a%0A"), 400, "InvalidRequestArguments"),
        ("unknown parameter", get("/clients/?x=1"), 400, "InvalidRequestArguments"),
        ("repeated parameter", get("/clients/?limit=1&limit=1"), 400, "InvalidRequestArguments"),
        ("limit=0", get("/clients/?limit=0"), 400, "InvalidRequestArguments"),
        ("limit=00", get("/clients/?limit=00"), 400, "InvalidRequestArguments"),
        ("limit=-1", get("/clients/?limit=-1"), 400, "InvalidRequestArguments"),
        ("limit=1.5", get("/clients/?limit=1.5"), 400, "InvalidRequestArguments"),
        ("limit in other digits", get("/clients/?limit=%D9%A1"), 400, "InvalidRequestArguments"),
        ("huge limit", get(&format!("/clients/?limit={nines}")), 200, ""),
        ("huge limit of roles", get(&format!("/roles2/?limit={nines}")), 200, ""),
        ("token of another alphabet", get("/clients/?continuationToken=!!!"), 400, "InputError"),
        ("token that means nothing", get(&format!("/clients/?continuationToken={nines}")), 200, ""),
        ("token of roles that means nothing", get("/roles2/?limit=1&continuationToken=zzzzzz"), 400, "InputError"),
        ("token beyond the end", get("/clients/?continuationToken=a63OqKywkq"), 200, ""),
        ("audit limit=0", get("/audit/client/x?limit=0"), 400, "InvalidRequestArguments"),
        ("unknown kind of entity", get("/audit/hoook/x"), 400, "InvalidRequestArguments"),
        ("long clientId", get(&format!("/clients/{}", "a".repeat(6000))), 404, "ResourceNotFound"),
        (
            "Host that is none",
            {
                let mut c = get("/clients/");
                c.host = "a/b".to_owned();
                c
            },
            400,
            "InputError",
        ),
        (
            "Host with a bad port",
            {
                let mut c = get("/clients/");
                c.host = "a:99999".to_owned();
                c
            },
            400,
            "InputError",
        ),
        ("two schemes", get("/clients/?bewit=abc"), 401, "AuthenticationFailed"),
    ] {
        let answer = node.send(call).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{name}: {}", answer.message());
    }
}

#[tokio::test]
async fn signatures() {
    let node = node().await;
    let current = || api("GET", "/scopes/current");
    let with = |value: &str| current().header("authorization", value);
    let ts = |seconds: i64| {
        let mut who = root();
        who.ts_seconds = Some(seconds);
        current().by(who)
    };
    let hash = |value: &str| {
        let mut who = root();
        who.hash = Some(value.to_owned());
        current().by(who)
    };
    let ext = |value: &str| {
        let mut who = root();
        who.ext = Some(value.to_owned());
        current().by(who)
    };
    for (name, call) in [
        ("another scheme", with("Basic abc")),
        ("no attributes", with("Hawk")),
        ("garbage", with("Hawk zz")),
        ("unknown attribute", with("Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"m\", x=\"y\"")),
        ("duplicate attribute", with("Hawk id=\"a\", id=\"a\", ts=\"1\", nonce=\"n\", mac=\"m\"")),
        ("empty attribute", with("Hawk id=\"\", ts=\"1\", nonce=\"n\", mac=\"m\"")),
        ("long header", with(&format!("Hawk id=\"{}\"", "a".repeat(5000)))),
        ("bytes that are no text", with("Hawk id=\"\u{e9}\"")),
        ("first day", ts(0)),
        ("far future", ts(i64::MAX / 1000)),
        ("far past", ts(i64::MIN / 1000)),
        ("hash of another length", hash("abc")),
        ("wrong hash", hash("NyP45IjpGNvUeOzSPr4OaSXefN1SWM0ScWDt45HxuJM=")),
        ("ext that is no JSON", ext("!!!")),
        ("ext of null", ext("bnVsbA==")),
    ] {
        let answer = node.send(call).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (401, "AuthenticationFailed"), "{name}: {}", answer.message());
        assert_eq!(answer.header("www-authenticate"), Some("hawk"), "{name}");
    }
    // A payload hash is over the body as it was sent, with its type.
    let body = br#"{"scopes":["a"]}"#;
    let mut who = root();
    who.hash = Some(crate::support::hash_of("application/json", body));
    let right = api("POST", "/scopes/expand").by(who.clone()).raw("application/json; charset=utf-8", body.to_vec());
    assert_eq!(node.send(right).await.status, 200);
    let changed = api("POST", "/scopes/expand").by(who).raw("application/json", r#"{"scopes":["*"]}"#);
    assert_eq!(node.send(changed).await.code(), "AuthenticationFailed");
}

/// A bodyless call with a `Content-Type` was 401, or not, by whether it came with `Content-Length: 0`.
#[tokio::test]
async fn the_type_of_nothing_is_no_part_of_its_hash() {
    let node = node().await;
    for method in ["GET", "DELETE"] {
        for length in [None, Some("0")] {
            for (signed, status) in [("", true), ("application/json", true), ("text/plain", false)] {
                let mut who = root();
                who.hash = Some(crate::support::hash_of(signed, b""));
                let call = api(method, "/clients/nobody").by(who).header("content-type", "application/json");
                let call = length.into_iter().fold(call, |call, length| call.header("content-length", length));
                let answer = node.send(call).await;
                assert_eq!(answer.status != 401, status, "{method} {length:?} {signed:?}: {}", answer.message());
            }
        }
    }
    let mut who = root();
    who.hash = Some(crate::support::hash_of("", b""));
    let with_body = api("POST", "/scopes/expand").by(who).raw("application/json", r#"{"scopes":["*"]}"#);
    assert_eq!(node.send(with_body).await.code(), "AuthenticationFailed");
}

#[tokio::test]
async fn a_deferred_method_checks_the_payload_hash_too() {
    let node = node().await;
    let mut who = root();
    who.hash = Some(crate::support::hash_of("application/json", b"{}"));
    let body = json!({ "expires": "2030-01-01T00:00:00Z", "description": "", "scopes": [] });
    let answer = node.send(api("PUT", "/clients/sneaky").by(who).json(body)).await;
    assert_eq!(answer.code(), "AuthenticationFailed");
    assert_eq!(node.send(api("GET", "/clients/sneaky").by(root())).await.status, 404);
}

#[tokio::test]
async fn outside_the_api() {
    let node = node().await;
    for path in ["/api", "/api/", "/api/auth", "/api/auth/v2/ping", "/api/zzz/v1/ping", "/api/falconer/v2/nope", "/api/%zz"] {
        let answer = node.send(call("GET", path)).await;
        assert_eq!((answer.status.as_u16(), &answer.json), (404, &json!({ "error": "Not found" })), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    for path in ["/API/AUTH/V1/ping", "/api/auth/v1/nope", "/api/auth/v1", "/api/auth/v1/", "/api/falconer/v1/nope"] {
        assert_eq!(node.send(call("GET", path)).await.header("access-control-allow-origin"), Some("*"), "{path}");
    }
}

#[test]
fn what_the_api_owns() {
    for path in [
        "/api",
        "/api/",
        "/API/auth/v1/ping",
        "/api/%zz",
        "/__version__",
        "/__version__/x",
        "/__heartbeat__",
        "/__lbheartbeat__",
        "/robots.txt",
    ] {
        assert!(falconer_web::api::owns(path), "{path}");
    }
    for path in ["", "/", "/apiary", "/__version__x", "/robots.txtx", "/login", "/%61pi"] {
        assert!(!falconer_web::api::owns(path), "{path}");
    }
}

/// Story: the texts of errors repeated headers and parameters of any length, with what steers a terminal in them.
#[tokio::test]
async fn what_an_error_repeats_of_the_head_is_bounded() {
    let node = node().await;
    let long = "x".repeat(8000);
    for call in [
        expand().raw("application/json", "{}").header("content-encoding", &long),
        expand().raw(&format!("application/json; charset={long}"), "{}"),
        expand().raw(&format!("text/{long}"), "{}"),
        api("GET", &format!("/clients/?{long}=1")).by(root()),
        api("GET", &format!("/clients/?limit={long}")).by(root()),
        api("GET", &format!("/clients/{long}%20")).by(root()),
    ] {
        let path = call.path.clone();
        let answer = node.send(call).await;
        let text = answer.message().split("\n\n---").next().unwrap();
        assert!(answer.status == 400 && text.contains("xxx...") && text.len() < 1000, "{path}: {} {text}", answer.status);
    }
    let text = node.send(api("GET", "/clients/?%1b%5b31m=1").by(root())).await.message().to_owned();
    assert!(text.contains("parameter: \\u{1b}[31m is not"), "{text}");
}

/// Story: a body that did not arrive in time was answered 413.
#[tokio::test]
async fn a_body_that_does_not_arrive_is_408() {
    let node = node().await;
    let request = expand().raw("application/json", "{").request(node.now_ms()).map(|_| {
        let pieces = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>("{") });
        axum::body::Body::from_stream(futures_util::StreamExt::chain(pieces, futures_util::stream::pending()))
    });
    let (mut parts, body) = request.into_parts();
    // Of somebody who is not known; the clock of the test makes the seconds pass at once.
    parts.headers.remove("authorization");
    parts.headers.insert("transfer-encoding", http::HeaderValue::from_static("chunked"));
    tokio::time::pause();
    let answer = crate::support::Answer::of(node.api.answer(http::Request::from_parts(parts, body)).await).await;
    assert_eq!((answer.status.as_u16(), answer.code(), answer.header("connection")), (408, "MalformedPayload", Some("close")));
    assert!(answer.message().starts_with("The request body took more than 10 seconds to arrive"), "{}", answer.message());
    assert!(answer.json["message"].as_str().unwrap().contains("* statusCode: 408"), "{}", answer.json);
}

/// Story: whether a call is quick was judged by the bytes that came, and 39 bytes of brotli kept a thread of verification busy for seconds.
#[test]
fn what_is_compressed_or_large_is_not_quick() {
    let hawk = || api("POST", "/authenticate-hawk").json(json!({}));
    let is_quick = |call: Call| falconer_web::api::is_quick(&call.request(crate::support::START_MS));
    assert!(is_quick(hawk()) && is_quick(api("GET", "/scopes/current")));
    assert!(!is_quick(hawk().header("content-encoding", "br")) && !is_quick(hawk().header("content-encoding", "gzip")));
    assert!(!is_quick(hawk().body(vec![b' '; 33 * 1024])));
    assert!(!is_quick(api("GET", "/ping")));
}
