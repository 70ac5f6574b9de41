//! The service with a fake Falconer that says what the test wants; the whole story with the real one and a browser is in the end-to-end tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use axum::body::{Body, to_bytes};
use axum::routing::post;
use axum::{Json, Router};
use falconer_notes::{Settings, router, serve};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

/// Falconer that takes every caller for Ann with these scopes.
async fn falconer(scopes: &'static [&'static str], identity: bool) -> String {
    let who = json!({"id": "local/ann", "provider": "local", "subject": "ann", "displayName": "Ann", "emailVerified": false, "target": "https://notes.example"});
    let mut answer = json!({"status": "auth-success", "scheme": "hawk", "expires": "2030-01-01T00:00:00.000Z", "scopes": scopes, "clientId": "local/mallory/x"});
    if identity {
        answer["identity"] = who;
    }
    let app = Router::new().route("/api/auth/v1/authenticate-hawk", post(async move || Json(answer)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    root
}

fn notes(root: &str) -> Router {
    router(&Settings { public_origin: "https://notes.example".to_owned(), falconer_root_url: root.to_owned() }).unwrap()
}

async fn ask(app: &Router, method: &str, path: &str, body: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", "Hawk x")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    (parts.status, parts.headers, to_bytes(body, 1 << 20).await.unwrap().to_vec())
}

async fn ask_json(app: &Router, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
    let (status, _, body) = ask(app, method, path, body).await;
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn notes_are_written_listed_and_read_and_signed_by_identity() {
    let app = notes(&falconer(&["notes:*"], true).await);
    let note = json!({"name": "release 12", "text": "<b>done</b>", "author": "Ann"});
    let (status, written) = ask_json(&app, "PUT", "/api/books/demo/notes/release%2012", r#"{"text":"<b>done</b>"}"#).await;
    assert_eq!((status, &written), (StatusCode::OK, &note));
    assert_eq!(ask_json(&app, "GET", "/api/books/demo/notes", "").await, (StatusCode::OK, json!([note])));
    assert_eq!(ask_json(&app, "GET", "/api/books/demo/notes/release%2012", "").await, (StatusCode::OK, note));
    assert_eq!(ask_json(&app, "GET", "/api/books/other/notes", "").await, (StatusCode::OK, json!([])));
    let (status, body) = ask_json(&app, "GET", "/api/books/demo/notes/none", "").await;
    assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!("ResourceNotFound")));
    for (path, body) in [("a%2Fb", r#"{"text":""}"#), ("a", "{}"), ("a", "nonsense")] {
        let (status, body) = ask_json(&app, "PUT", &format!("/api/books/demo/notes/{path}"), body).await;
        assert!(status.is_client_error() && body["message"].is_string(), "{status} {body}");
    }
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(ask_json(&app, "PUT", "/api/books/demo/notes/a", &long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn each_book_and_each_way_has_its_scope() {
    let app = notes(&falconer(&["notes:read:demo"], false).await);
    assert_eq!(ask_json(&app, "GET", "/api/books/demo/notes", "").await.0, StatusCode::OK);
    for (method, path, missing) in [
        ("GET", "/api/books/other/notes", "notes:read:other"),
        ("GET", "/api/books/demo%2Fx/notes", "notes:read:demo/x"),
        ("GET", "/api/books/other/notes/a", "notes:read:other"),
        ("PUT", "/api/books/demo/notes/a", "notes:write:demo"),
    ] {
        let (status, body) = ask_json(&app, method, path, r#"{"text":""}"#).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
        assert!(body["message"].as_str().unwrap().contains(missing));
    }
}

#[tokio::test]
async fn whoami_goes_by_identity_and_never_by_the_client_id() {
    let (_, known) = ask_json(&notes(&falconer(&["notes:a", "b"], true).await), "GET", "/api/whoami", "").await;
    assert_eq!(
        known,
        json!({"identity": {"id": "local/ann", "displayName": "Ann", "email": null}, "scopes": ["notes:a"], "expires": "2030-01-01T00:00:00.000Z"})
    );
    let (_, unknown) = ask_json(&notes(&falconer(&["a"], false).await), "GET", "/api/whoami", "").await;
    assert_eq!(unknown["identity"], Value::Null);
    assert!(!unknown.to_string().contains("mallory"));
}

#[tokio::test]
async fn the_page_is_whole_and_locked_down() {
    let app = notes("https://auth.example/");
    for (path, content_type) in [
        ("/", "text/html"),
        ("/notes.js", "text/javascript"),
        ("/notes.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/nothing", "text/plain"),
    ] {
        let (_, headers, body) = ask(&app, "GET", path, "").await;
        let text = String::from_utf8(body).unwrap();
        assert!(headers["content-type"].to_str().unwrap().starts_with(content_type), "{path}");
        assert!(!text.contains("%FALCONER%"), "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("script-src 'sha256-") && policy.contains("' 'self' https://auth.example;") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
    let html = String::from_utf8(ask(&app, "GET", "/", "").await.2).unwrap();
    assert!(!html.contains("style=") && !html.contains("<style"));
    // No handlers in attributes.
    for word in html.split(" on").skip(1) {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        assert!(!rest.starts_with('='), "{word}");
    }
    // One inline module, the one whose hash the policy allows; it asks for Falconer's module before anything else.
    assert_eq!(html.matches("<script").count(), 1);
    let import = html.find("import 'https://auth.example/sdk/falconer.js';").unwrap();
    assert!(html.find("/notes.js").unwrap() > import);
    assert!(!html.contains("%START%"));
    let js = String::from_utf8(ask(&app, "GET", "/notes.js", "").await.2).unwrap();
    assert!(js.contains("import { connect } from 'https://auth.example/sdk/falconer.js';"));
    assert!(!js.contains("innerHTML"));
    // What the module asks of the page is there.
    for piece in js.split("$('").skip(1) {
        let id = piece.split('\'').next().unwrap();
        assert!(html.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

/// The program printed `Custom { kind: InvalidInput, .. }` where it could not start.
#[test]
fn the_program_says_in_a_sentence_why_it_cannot_start() {
    let said = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_falconer-notes"));
        command.env_remove("TASKCLUSTER_ROOT_URL").env_remove("NOTES_PUBLIC_ORIGIN").env("NOTES_LISTEN", "127.0.0.1:0");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap().lines().next().unwrap().to_owned()
    };
    assert_eq!(said(&[]), "TASKCLUSTER_ROOT_URL is not set.");
    let root = ("TASKCLUSTER_ROOT_URL", "https://auth.example");
    for (variables, named) in [
        ([root, ("NOTES_PUBLIC_ORIGIN", "notes")], "notes"),
        ([("TASKCLUSTER_ROOT_URL", "auth"), ("NOTES_PUBLIC_ORIGIN", "https://notes.example")], "auth"),
        ([root, ("NOTES_LISTEN", "nonsense")], "address"),
    ] {
        let line = said(&variables);
        assert!(line.contains(named) && !line.contains(['{', '"']), "{line}");
    }
}

#[test]
fn settings_that_cannot_work_are_named() {
    for (public_origin, root) in [
        ("notes", "https://auth.example"),
        ("https://notes.example/path", "https://auth.example"),
        ("https://notes.example", "auth"),
        ("https://notes.example", "https://auth.example/'+alert(1)+'"),
        ("https://notes.example", "https://auth.example/?a"),
    ] {
        let settings = Settings { public_origin: public_origin.to_owned(), falconer_root_url: root.to_owned() };
        assert_eq!(router(&settings).unwrap_err().kind(), std::io::ErrorKind::InvalidInput, "{public_origin} {root}");
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_never_shows_a_query() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    // Of the whole process: one of this thread alone was not asked where another test had come first to the same line.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let app = notes("http://127.0.0.1:1");
    for path in ["/?state=a&clientId=b&accessToken=very-secret&certificate=c", "/api/whoami?bewit=very-secret", "/nothing?very-secret"] {
        ask(&app, "GET", path, "").await;
    }
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("GET /?...") && log.contains("GET /nothing?..."), "{log}");
    assert!(!log.contains("very-secret"), "{log}");
}

#[tokio::test]
async fn serves_until_told_to_stop() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings { public_origin: "http://127.0.0.1:1".to_owned(), falconer_root_url: "http://127.0.0.1:2".to_owned() };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(serve(listener, settings, async move { drop(stopped.await) }));
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
