//! Bad input against the real binary: a 4xx, never a 5xx, never a dead process.

use crate::support::{Server, init};
use falconer_client::Method;

/// A request as text, closed by the server after its answer.
fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n").into_bytes();
    for (name, value) in headers {
        text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    text.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    text.extend_from_slice(body);
    text
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn every_bad_request_gets_a_4xx_and_the_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let mut server = Server::start(&data);
    let hawk = "/api/auth/v1/authenticate-hawk";
    let good = r#"{"method":"get","resource":"/x","host":"h.example","port":443}"#;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let big_header = "x".repeat(20_000);
    let long_path = format!("/api/auth/v1/clients/{}", "a".repeat(70_000));
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("no JSON", request("POST", hawk, &[JSON], b"{"), &[400]),
        ("JSON null", request("POST", hawk, &[JSON], b"null"), &[400]),
        ("JSON number", request("POST", hawk, &[JSON], b"1e999"), &[400]),
        ("deep JSON", request("POST", hawk, &[JSON], deep.as_bytes()), &[413]),
        ("an array", request("POST", hawk, &[JSON], b"[]"), &[400]),
        ("empty body", request("POST", hawk, &[JSON], b""), &[400]),
        ("wrong content type", request("POST", hawk, &[("content-type", "text/plain")], good.as_bytes()), &[400]),
        ("no content type", request("POST", hawk, &[], good.as_bytes()), &[400]),
        ("unknown charset", request("POST", hawk, &[("content-type", "application/json; charset=klingon")], good.as_bytes()), &[400, 415]),
        ("unknown encoding", request("POST", hawk, &[JSON, ("content-encoding", "zip")], good.as_bytes()), &[400, 415]),
        ("broken gzip", request("POST", hawk, &[JSON, ("content-encoding", "gzip")], good.as_bytes()), &[400]),
        ("unknown field", request("POST", hawk, &[JSON], br#"{"method":"get","resource":"/x","host":"h","port":443,"x":1}"#), &[400]),
        ("port too large", request("POST", hawk, &[JSON], br#"{"method":"get","resource":"/x","host":"h","port":65536}"#), &[400]),
        ("port 2^64", request("POST", hawk, &[JSON], br#"{"method":"get","resource":"/x","host":"h","port":18446744073709551616}"#), &[400]),
        ("port with a fraction", request("POST", hawk, &[JSON], br#"{"method":"get","resource":"/x","host":"h","port":1.5}"#), &[400]),
        ("null authorization", request("POST", hawk, &[JSON], br#"{"method":"get","resource":"/x","host":"h","port":443,"authorization":null}"#), &[400]),
        ("bad host", request("POST", hawk, &[JSON], br#"{"method":"get","resource":"/x","host":"a_b:1","port":443}"#), &[400]),
        ("upper-case method", request("POST", hawk, &[JSON], br#"{"method":"GET","resource":"/x","host":"h","port":443}"#), &[400]),
        ("limit=0", request("GET", "/api/auth/v1/clients/?limit=0", &[], b""), &[400, 403]),
        ("query parameter twice", request("GET", "/api/auth/v1/ping?limit=1&limit=2", &[], b""), &[400]),
        ("unknown query parameter", request("GET", "/api/auth/v1/ping?x=1", &[], b""), &[400]),
        ("bad escape in the path", request("GET", "/api/auth/v1/clients/%zz", &[], b""), &[400]),
        ("non-UTF-8 escape in the path", request("GET", "/api/auth/v1/clients/%ff%fe", &[], b""), &[400, 403]),
        ("a double slash", request("GET", "/api/auth/v1//ping", &[], b""), &[404]),
        ("unknown path", request("GET", "/api/auth/v9/ping", &[], b""), &[404]),
        ("another method", request("DELETE", "/api/auth/v1/ping", &[], b""), &[404]),
        ("header too long", request("GET", "/api/auth/v1/ping", &[("x-long", big_header.as_str())], b""), &[431]),
        ("path too long", request("GET", &long_path, &[], b""), &[414, 431]),
        ("no host", b"GET /api/auth/v1/ping HTTP/1.1\r\nconnection: close\r\n\r\n".to_vec(), &[400]),
        ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), &[400]),
        ("a body that claims more than allowed", b"POST /api/auth/v1/authenticate-hawk HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\nconnection: close\r\n\r\n".to_vec(), &[413]),
        ("content-length that is no number", b"POST /api/auth/v1/authenticate-hawk HTTP/1.1\r\nhost: localhost\r\ncontent-length: abc\r\n\r\n".to_vec(), &[400]),
        ("grant page with a repeated target", request("GET", "/?target=https://a.example/&target=https://b.example/&description=x", &[("accept", "text/html")], b""), &[400]),
        ("grant page with a target only", request("GET", "/?target=https://a.example/", &[("accept", "text/html")], b""), &[400]),
        ("grant page with bad escapes", request("GET", "/?target=%zz&description=%ff", &[("accept", "text/html")], b""), &[400]),
        ("grant without a session or a token", request("POST", "/grant", &[("content-type", "application/x-www-form-urlencoded")], b"x=1"), &[400, 401, 403, 303]),
        ("sign in without a token", request("POST", "/login", &[("content-type", "application/x-www-form-urlencoded")], b"name=x&password=y"), &[400, 403]),
        ("form with bad UTF-8", request("POST", "/login", &[("content-type", "application/x-www-form-urlencoded")], b"name=%ff%fe&password=\xff"), &[400, 403]),
    ];
    for (name, bytes, statuses) in cases {
        let (status, answer) = server.raw(&bytes);
        assert!(statuses.contains(&status), "{name}: {status}\n{answer}");
        assert!(server.lives(), "{name} ended the process");
    }
    hostile_authorization(&server);
    // And it still works.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(server.client(&root).current_scopes()).unwrap().scopes, ["*"]);
    assert!(server.lives());
}

/// Authorization headers of every broken kind, to an endpoint that needs scopes: always 401 in the protocol's shape.
fn hostile_authorization(server: &Server) {
    let headers = [
        "Hawk",
        "Hawk x",
        "Hawk id=\"a\"",
        "Hawk id=\"a\", id=\"a\", ts=\"1\", nonce=\"n\", mac=\"m\"",
        "Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"m\", zzz=\"1\"",
        "Hawk id=\"a\\b\", ts=\"1\", nonce=\"n\", mac=\"m\"",
        "Hawk id=\"\", ts=\"1\", nonce=\"n\", mac=\"m\"",
        "Hawk id=\"a\", ts=\"99999999999999999999999999\", nonce=\"n\", mac=\"m\"",
        "Hawk id=\"a\", ts=\"NaN\", nonce=\"n\", mac=\"m\"",
        "Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"m\", ext=\"!!!!\"",
        "Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"m\", ext=\"W1tbW1tbW1tbW1tb\"",
        "Basic YTpi",
        "Bearer x",
    ];
    for header in headers {
        let (status, answer) = server.raw(&request("GET", "/api/auth/v1/scopes/current", &[("authorization", header)], b""));
        assert_eq!(status, 401, "{header}: {answer}");
        assert!(
            answer.contains("\"AuthenticationFailed\"") && answer.to_lowercase().contains("www-authenticate: hawk"),
            "{header}: {answer}"
        );
    }
    let both = request("GET", "/api/auth/v1/scopes/current?bewit=x", &[("authorization", "Hawk x")], b"");
    let (status, answer) = server.raw(&both);
    assert!(status == 401 && answer.contains("two authentication schemes"), "{answer}");
    let bewit = request("GET", "/api/auth/v1/scopes/current?bewit=====", &[], b"");
    assert_eq!(server.raw(&bewit).0, 401);
}

/// What a signed caller sends is checked too.
#[tokio::test(flavor = "multi_thread")]
async fn signed_bad_input_is_refused_without_a_partial_write() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let server = Server::start(&data);
    let client = server.client(&root);
    let url = |path: &str| format!("{}{path}", server.root_url);
    let bodies = [
        r#"{"expires":"soon","description":"","scopes":[]}"#,
        r#"{"expires":"2100-01-01","description":"","scopes":[]}"#,
        r#"{"expires":"2016-12-31T23:59:60Z","description":"","scopes":[]}"#,
        r#"{"expires":"2100-02-30T00:00:00Z","description":"","scopes":[]}"#,
        r#"{"expires":"2100-01-01T00:00:00Z","description":1,"scopes":[]}"#,
        r#"{"expires":"2100-01-01T00:00:00Z","description":"","scopes":["a","a"]}"#,
        r#"{"expires":"2100-01-01T00:00:00Z","description":"","scopes":["\n"]}"#,
        r#"{"expires":"2100-01-01T00:00:00Z","description":"","scopes":["a**"]}"#,
        r#"{"expires":"2100-01-01T00:00:00Z","description":"","scopes":["assume:grant:x"]}"#,
        r#"{"expires":"2100-01-01T00:00:00Z","description":"","scopes":"a"}"#,
        r#"{"expires":"2100-01-01T00:00:00Z","description":"","scopes":[],"disabled":true}"#,
    ];
    for body in bodies {
        let error = client.fetch(&Method::PUT, &url("/api/auth/v1/clients/bad%2Fone"), Some(body.as_bytes())).await.unwrap_err();
        assert_eq!(error.status(), Some(400), "{body}: {error}");
    }
    for (method, path, body) in [
        (Method::PUT, "/api/auth/v1/clients/static%2Fx", r#"{"expires":"2100-01-01T00:00:00Z","description":""}"#),
        (Method::PUT, "/api/auth/v1/clients/bad%0Aone", r#"{"expires":"2100-01-01T00:00:00Z","description":""}"#),
        (Method::PUT, "/api/auth/v1/roles/%C3%A9", r#"{"description":"","scopes":[]}"#),
        (Method::PUT, "/api/auth/v1/roles/grant%3Ax", r#"{"description":"","scopes":[]}"#),
        (Method::PUT, "/api/auth/v1/roles/loop", r#"{"description":"","scopes":["*"]}"#),
        (Method::POST, "/api/auth/v1/scopes/expand", r#"{"scopes":["\u0000"]}"#),
        (Method::GET, "/api/auth/v1/clients/?limit=0", ""),
        (Method::GET, "/api/auth/v1/clients/?limit=-1", ""),
        (Method::GET, "/api/auth/v1/clients/?continuationToken=!!", ""),
        (Method::GET, "/api/auth/v1/roles2/?limit=1&continuationToken=abcdef", ""),
    ] {
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let error = client.fetch(&method, &url(path), body).await.unwrap_err();
        assert_eq!(error.status(), Some(400), "{method} {path}: {error}");
    }
    assert!(client.list_all_clients(Some("bad")).await.unwrap().is_empty());
    assert!(client.role("loop").await.unwrap().is_none());
    let huge = client.fetch(&Method::GET, &url("/api/auth/v1/clients/?limit=99999999999999999999"), None).await.unwrap();
    assert!(String::from_utf8_lossy(&huge).contains("static/falconer/root"), "a huge limit is cut to the largest");
}
