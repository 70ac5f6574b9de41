//! What callers get when Falconer is away, answers nonsense, or says no; and what Falconer is asked. Falconer here is a fake that says what
//! the test wants; the real one is in the end-to-end tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../falconer/tests/support/ports.rs"]
mod ports;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use falconer_client::Retry;
use falconer_middleware::{Caller, Cors, Guard, SettingsError};
use http::{StatusCode, header};
use ports::HeldPort;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

type RecordedCalls = Arc<Mutex<Vec<Value>>>;

/// A Falconer that gives one answer to every question and remembers the questions.
async fn fake(status: u16, answer: impl Into<String>) -> (String, RecordedCalls) {
    let calls = RecordedCalls::default();
    let (remember, answer) = (calls.clone(), answer.into());
    let app = Router::new().route(
        "/api/auth/v1/authenticate-hawk",
        post(async move |Json(question): Json<Value>| {
            remember.lock().unwrap().push(question);
            (StatusCode::from_u16(status).unwrap(), answer)
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (root, calls)
}

fn success(scopes: &[&str], more: Value) -> String {
    let mut answer = json!({"status": "auth-success", "scheme": "hawk", "expires": "2030-01-01T00:00:00.000Z", "scopes": scopes, "clientId": "local/ann/x"});
    answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    answer.to_string()
}

fn guard(root: &str) -> Guard {
    let at_once = Retry { tries: 2, first_delay: Duration::ZERO, ..Retry::default() };
    Guard::new(root, "https://Notes.Example:8443").unwrap().with_retry(at_once).with_body_limit(64)
}

/// A service with one guarded route in a nested router.
fn service(guard: &Guard) -> Router {
    let routes = Router::new()
        .merge(guard.route("/books/{book}", "notes:read:<book>", get(handler).post(echo)).unwrap())
        .route("/me", get(handler).layer(guard.identify()))
        .route("/open", get(handler));
    Router::new().nest("/api", routes).layer(Cors::any())
}

async fn handler(caller: Caller) -> Json<Value> {
    Json(
        json!({"id": caller.client_id(), "scopes": caller.scopes(), "expires": caller.expires(), "identity": caller.identity().map(|who| &who.id)}),
    )
}

async fn echo(_: Caller, body: String) -> String {
    body
}

async fn send(app: Router, request: Request) -> (StatusCode, http::HeaderMap, Value) {
    let response: Response = app.oneshot(request).await.unwrap().into_response();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let value = serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    (parts.status, parts.headers, value)
}

fn ask(path: &str) -> Request {
    Request::get(path).header("authorization", "Hawk signed").header("host", "evil.example").body(Body::empty()).unwrap()
}

fn write(body: &str) -> Request {
    Request::post("/api/books/demo")
        .header("authorization", "Hawk signed")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test]
async fn falconer_away_is_503() {
    let nobody = HeldPort::new();
    let root = format!("http://{}", nobody.address());
    let (status, headers, body) = send(service(&guard(&root)), ask("/api/books/demo")).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("ServiceUnavailable")));
    assert_eq!(headers[header::RETRY_AFTER], "1");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(!body.to_string().contains(&root), "callers do not learn addresses inside");
}

#[tokio::test]
async fn garbage_is_503_and_lets_nobody_in() {
    for (status, answer) in [
        (200, ""),
        (200, "null"),
        (200, "<h1>hello</h1>"),
        (200, r#"{"status":"auth-success"}"#),
        (200, r#"{"status":"fine","scopes":["*"],"clientId":"x","expires":"y","scheme":"hawk"}"#),
        (200, r#"{"status":"auth-success","scheme":"hawk","expires":"x","scopes":"*","clientId":"x"}"#),
        (204, ""),
        (302, ""),
        (404, r#"{"error":"Not found"}"#),
        (401, r#"{"code":"AuthenticationFailed","message":"x"}"#),
        // What a proxy in front of Falconer refused was said to be the caller's fault.
        (400, "<h1>Bad Request</h1>"),
        (400, r#"{"message":"no such host"}"#),
        (413, ""),
        (429, "slow down"),
        (500, "oops"),
        (503, r#"{"code":"ServiceUnavailable","message":"behind"}"#),
    ] {
        let (root, _) = fake(status, answer).await;
        let (got, _, body) = send(service(&guard(&root)), ask("/api/books/demo")).await;
        assert_eq!((got, body["code"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("ServiceUnavailable")), "{status} {answer}");
    }
}

#[tokio::test]
async fn what_falconer_cannot_read_is_the_callers_fault() {
    let (root, _) = fake(
        400,
        r#"{"code":"InputValidationError","message":"data/method must be equal to one of the allowed values\n\n---\n\n* method: x"}"#,
    )
    .await;
    let (status, _, body) = send(service(&guard(&root)), ask("/api/books/demo")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["message"].as_str().unwrap().starts_with("The request cannot be verified: data/method must be"));
}

#[tokio::test]
async fn a_good_request_reaches_the_handler_and_falconer_is_asked_for_our_own_origin() {
    let identity = json!({"id": "local/ann", "provider": "local", "subject": "ann", "displayName": "Ann", "emailVerified": false, "target": "https://notes.example"});
    let (root, calls) = fake(200, success(&["notes:read:*"], json!({"identity": identity}))).await;
    let (status, _, body) = send(service(&guard(&root)), ask("/api/books/a%2Fb?x=%20&y")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        body,
        json!({"id": "local/ann/x", "scopes": ["notes:read:*"], "expires": "2030-01-01T00:00:00.000Z", "identity": "local/ann"})
    );
    let question = calls.lock().unwrap()[0].clone();
    assert_eq!(
        question,
        json!({"method": "get", "resource": "/api/books/a%2Fb?x=%20&y", "host": "notes.example", "port": 8443, "authorization": "Hawk signed"})
    );
}

#[tokio::test]
async fn missing_scopes_are_403_with_what_is_missing() {
    let (root, _) = fake(200, success(&["notes:read:other"], json!({}))).await;
    let (status, headers, body) = send(service(&guard(&root)), ask("/api/books/demo?secret=1")).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::FORBIDDEN, Some("InsufficientScopes")));
    let message = body["message"].as_str().unwrap();
    assert!(
        message.starts_with(
            "Client ID local/ann/x does not have sufficient scopes and is missing the following scopes:\n\n```\nnotes:read:demo\n```"
        ),
        "{message}"
    );
    assert!(message.contains("\n\n---\n\n* method:     GET "));
    assert!(!body.to_string().contains("secret"), "the query is not repeated");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");

    // The decoded parameter is what is required, unless no scope can be given for it.
    let (_, _, body) = send(service(&guard(&root)), ask("/api/books/a%2Fb")).await;
    assert!(body["message"].as_str().unwrap().contains("notes:read:a/b"));
    for path in ["/api/books/a%2F*", "/api/books/r%C3%A9d", "/api/books/r%0Ad"] {
        let (status, _, body) = send(service(&guard(&root)), ask(path)).await;
        assert_eq!((status, body["reason"].as_str()), (StatusCode::BAD_REQUEST, Some("parameter")), "{path}");
    }
}

#[tokio::test]
async fn without_credentials_only_what_everybody_may_do() {
    let answer =
        json!({"status": "no-auth", "scheme": "none", "expires": "2030-01-01T00:00:00.000Z", "scopes": ["notes:read:open"]}).to_string();
    let (root, calls) = fake(200, answer).await;
    let bare = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let (status, _, body) = send(service(&guard(&root)), bare("/api/books/open")).await;
    assert_eq!((status, &body["id"]), (StatusCode::OK, &Value::Null));
    let (status, _, body) = send(service(&guard(&root)), bare("/api/books/demo")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body["message"].as_str().unwrap().starts_with("This request requires Taskcluster credentials that satisfy"));
    assert_eq!(send(service(&guard(&root)), bare("/api/me")).await.0, StatusCode::OK);
    assert!(calls.lock().unwrap()[0].get("authorization").is_none());
}

#[tokio::test]
async fn bad_credentials_are_401_with_the_reason_also_where_nothing_is_required() {
    let (root, _) = fake(200, r#"{"status":"auth-failed","message":"The grant abc has been revoked"}"#).await;
    for path in ["/api/books/demo", "/api/me"] {
        let (status, headers, body) = send(service(&guard(&root)), ask(path)).await;
        assert_eq!((status, body["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("AuthenticationFailed")));
        assert_eq!(headers[header::WWW_AUTHENTICATE], "hawk");
        assert!(body["message"].as_str().unwrap().starts_with("The grant abc has been revoked\n\n---\n"));
    }
}

/// Whoever has a wrong clock read only `Stale timestamp`, and nothing that a clock could be set by.
#[tokio::test]
async fn a_stale_signature_is_refused_with_the_time_here() {
    let (root, _) = fake(200, r#"{"status":"auth-failed","message":"Unauthorized: Stale timestamp"}"#).await;
    let (status, headers, body) = send(service(&guard(&root)), ask("/api/me")).await;
    assert_eq!(
        (status, &headers[header::ACCESS_CONTROL_EXPOSE_HEADERS]),
        (StatusCode::UNAUTHORIZED, &"WWW-Authenticate, Retry-After, Date".parse().unwrap())
    );
    let message = body["message"].as_str().unwrap();
    assert!(
        message.starts_with("Unauthorized: Stale timestamp. The request was signed more than 15 minutes ago, or the clock of"),
        "{message}"
    );
    let time = body["requestInfo"]["time"].as_str().unwrap();
    assert!(message.contains(&time[.."2026-01-01T00".len()]), "{message} {time}");
}

#[tokio::test]
async fn two_schemes_at_once_and_unreadable_headers_are_refused_unasked() {
    let (root, calls) = fake(200, success(&["*"], json!({}))).await;
    let odd = Request::get("/api/books/demo").header("authorization", &b"Hawk \xff"[..]).body(Body::empty()).unwrap();
    for request in [ask("/api/books/demo?bewit=abc"), ask("/api/books/demo?a=1&bewit=abc"), odd] {
        assert_eq!(send(service(&guard(&root)), request).await.0, StatusCode::UNAUTHORIZED);
    }
    assert!(calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_signed_hash_is_compared_with_the_body() {
    let hash = "qKG2AtsqLMhIdy7+OrxWG0bU8wTDncYSW0gmNukAKpI="; // of {"a":1} as application/json: vectors/payload-hash.json
    let (root, _) = fake(200, success(&["*"], json!({"hash": hash}))).await;
    let (status, _, body) = send(service(&guard(&root)), write(r#"{"a":1}"#)).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"a": 1})));
    let (status, _, body) = send(service(&guard(&root)), write(r#"{"a":2}"#)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let message = body["message"].as_str().unwrap();
    // The signed hash stood there as `{{hash}}`.
    assert!(message.contains(&format!("Invalid payload hash: {hash}\nComputed payload hash: ")) && !message.contains("{{"), "{message}");
    assert_eq!(send(service(&guard(&root)), write(&"x".repeat(65))).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_hash_can_be_required() {
    let (root, _) = fake(200, success(&["*"], json!({}))).await;
    assert_eq!(send(service(&guard(&root)), write("{}")).await.0, StatusCode::OK);
    let strict = guard(&root).with_payload_hash_required();
    assert_eq!(send(service(&strict), write("{}")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(send(service(&strict), write("")).await.0, StatusCode::OK);
    assert_eq!(send(service(&strict), ask("/api/books/demo")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_author_who_forgot_something_gets_500_and_lets_nobody_in() {
    let (root, _) = fake(200, success(&["*"], json!({}))).await;
    let (status, _, body) = send(service(&guard(&root)), ask("/api/open")).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::INTERNAL_SERVER_ERROR, Some("InternalServerError")));
}

/// `notes:read:<boook>` and the like were accepted, and each call of the route failed.
#[test]
fn scopes_that_do_not_fit_the_path_are_refused_when_the_route_is_built() {
    let guard = guard("http://localhost:8080");
    let route = |path: &str, expression: Value| guard.route::<()>(path, expression, get(handler)).map(|_| ());
    route("/books/{book}", json!("notes:read:<book>")).unwrap();
    drop(guard.nested_route::<()>("/users/{user}", "/books/{book}", "notes:read:<user>/<book>", get(handler)).unwrap());
    for (path, expression, named) in [
        ("/books/{book}", json!("notes:read:<boook>"), "The scope expression \"notes:read:<boook>\" cannot be used"),
        ("/books", json!("notes:read:<book>"), "no parameters"),
        ("/books/{book}", json!(""), "a scope is empty"),
        ("/books/{book}", json!("<"), "no part of a parameter"),
        ("/books/{book", json!("notes:read"), "a `{` has no `}`"),
        ("books", json!("notes:read"), "begin with a slash"),
    ] {
        let said = route(path, expression).unwrap_err().to_string();
        assert!(said.contains(named), "{said}");
    }
    assert!(guard.require("notes:read:<book>").unwrap_err().to_string().contains("no parameter <book>"));
    guard.require(json!({"AnyOf": ["notes:admin", "notes:all"]})).unwrap();
}

/// One path with two methods that need different scopes: merged, each keeps its own.
#[tokio::test]
async fn routes_of_one_path_keep_their_scopes() {
    let (root, _) = fake(200, success(&["notes:read:demo"], json!({}))).await;
    let guard = guard(&root);
    let app = Router::new()
        .merge(guard.route("/api/books/{book}", "notes:read:<book>", get(handler)).unwrap())
        .merge(guard.route("/api/books/{book}", "notes:write:<book>", post(echo)).unwrap());
    assert_eq!(send(app.clone(), ask("/api/books/demo")).await.0, StatusCode::OK);
    let (status, _, body) = send(app.clone(), write("{}")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body["message"].as_str().unwrap().contains("notes:write:demo"));
    // A method that neither has is behind the guard of the one that was merged last.
    let other = || Request::delete("/api/books/demo").body(Body::empty()).unwrap();
    assert_eq!(send(app, other()).await.0, StatusCode::FORBIDDEN);
    let (root, _) = fake(200, success(&["notes:write:demo"], json!({}))).await;
    let guard = self::guard(&root);
    let app = Router::new()
        .merge(guard.route("/api/books/{book}", "notes:read:<book>", get(handler)).unwrap())
        .merge(guard.route("/api/books/{book}", "notes:write:<book>", post(echo)).unwrap());
    assert_eq!(send(app, other()).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

/// `any(..)` is a fallback to axum, and the guard left fallbacks out: every method that was not named ran the handler with nobody asked.
#[tokio::test]
async fn each_method_of_a_guarded_path_is_behind_the_guard() {
    let no_auth = json!({"status": "no-auth", "scheme": "none", "expires": "2030-01-01T00:00:00.000Z", "scopes": []}).to_string();
    let (nobody, _) = fake(200, no_auth).await;
    let (root, _) = fake(200, success(&["notes:read:demo"], json!({}))).await;
    let open = async || "ran";
    let shapes: [fn(&Guard, axum::routing::MethodRouter) -> Router; 3] = [
        |guard, methods| guard.route("/books/{book}", "notes:read:<book>", methods).unwrap(),
        |guard, methods| Router::new().nest("/books", guard.nested_route("/books", "/{book}", "notes:read:<book>", methods).unwrap()),
        |guard, methods| Router::new().route("/books/{book}", methods.layer(guard.require("notes:read:demo").unwrap())),
    ];
    for shape in shapes {
        for (methods, rest) in [
            (any(open), StatusCode::OK),
            (any(open).get(open), StatusCode::OK),
            (get(open).fallback(open), StatusCode::OK),
            (get(open).merge(any(open)), StatusCode::OK),
            (get(open), StatusCode::METHOD_NOT_ALLOWED),
        ] {
            for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
                let request = || Request::builder().method(method).uri("/books/demo").body(Body::empty()).unwrap();
                assert_eq!(send(shape(&guard(&nobody), methods.clone()), request()).await.0, StatusCode::FORBIDDEN, "{method}");
                let (status, ..) = send(shape(&guard(&root), methods.clone()), request()).await;
                assert_eq!(status, if method == "GET" || method == "HEAD" { StatusCode::OK } else { rest }, "{method}");
            }
        }
    }
}

#[tokio::test]
async fn preflights_are_answered_without_asking() {
    let (root, calls) = fake(200, success(&["*"], json!({}))).await;
    let preflight = || {
        Request::options("/api/books/demo")
            .header("origin", "https://tool.example")
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization,content-type")
            .body(Body::empty())
            .unwrap()
    };
    let (status, headers, _) = send(service(&guard(&root)), preflight()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(headers[header::ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("PUT"));
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], "Authorization, Content-Type, DPoP");

    let tool: http::HeaderValue = "https://tool.example".parse().unwrap();
    let only = |origin: &str| Router::new().route("/", get(async || "x")).layer(Cors::only([origin]).unwrap());
    // What was written otherwise than browsers write it matched nothing.
    for listed in ["https://tool.example/", "https://tool.example:443", "HTTPS://Tool.Example"] {
        let (_, headers, _) = send(only(listed), preflight()).await;
        assert_eq!(
            (&headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], &headers[header::VARY]),
            (&tool, &"Origin".parse().unwrap()),
            "{listed}"
        );
    }
    let (_, headers, _) = send(only("https://other.example"), preflight()).await;
    assert!(headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none());
    assert!(calls.lock().unwrap().is_empty());
}

/// They were dropped without a word, and pages of the origin that was meant could not call.
#[test]
fn what_is_no_origin_is_refused_where_the_layer_is_made() {
    let wrongs = " * null tool.example https://tool.example/a https://ann@tool.example ftp://tool.example https://tool_example:x";
    for wrong in wrongs.split(' ') {
        let error = Cors::only(["https://other.example", wrong]).unwrap_err();
        assert!(matches!(&error, SettingsError::PageOrigin { origin, .. } if origin == wrong), "{wrong}: {error}");
    }
}

/// Clients compare what the document says with the address that they called (RFC 9728, section 3.3).
#[tokio::test]
async fn clients_are_told_the_origin_as_browsers_write_it() {
    let guard = Guard::new("http://localhost:1", "HTTPS://Notes.Example.com:443/").unwrap().with_protected_resource("/mcp", []).unwrap();
    let at = "/.well-known/oauth-protected-resource/mcp";
    let (status, _, body) = send(guard.metadata(), Request::get(at).body(Body::empty()).unwrap()).await;
    assert_eq!((status, body["resource"].as_str()), (StatusCode::OK, Some("https://notes.example.com/mcp")));
}
