//! `docs/backend.md` shows what the author of a Rust service adds to it: at most ten lines, before and after which it is a service.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use axum::body::{Body, to_bytes};
use axum::routing::post;
use axum::{Json, Router};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The service before, as the author wrote it.
#[allow(dead_code, reason = "its main listens on the port that the page says")]
mod open {
    include!("page/open.rs");

    pub fn router() -> Router {
        app()
    }
}

/// The service after, with what the page adds.
#[allow(dead_code, reason = "its main listens on the port that the page says")]
mod guarded {
    include!("page/guarded.rs");

    pub fn router(falconer: &str, origin: &str) -> Result<Router, SettingsError> {
        app(falconer, origin)
    }
}

const PAGE: &str = include_str!("../../../docs/backend.md");

/// What the page shows with a sign before each line.
fn diff() -> Vec<&'static str> {
    let blocks: Vec<&str> = PAGE.split("\n```diff\n").skip(1).map(|rest| rest.split("\n```\n").next().unwrap()).collect();
    assert_eq!(blocks.len(), 1, "one service is shown with what is added");
    blocks[0].lines().collect()
}

/// One side of it: the lines without `other`.
fn side(other: char) -> String {
    diff().iter().filter(|line| !line.starts_with(other)).map(|line| format!("{}\n", line.get(1..).unwrap())).collect()
}

#[test]
fn at_most_ten_lines_are_added() {
    let lines = diff();
    assert!(lines.iter().all(|line| line.starts_with(['+', '-', ' '])), "each line says whether it is new");
    let added = lines.iter().filter(|line| line.starts_with('+') && line.trim_end() != "+").count();
    assert!((1..=10).contains(&added), "{added} lines are added");
}

#[test]
fn the_two_services_of_the_page_are_those_that_run_here() {
    assert_eq!(side('+'), include_str!("page/open.rs"));
    assert_eq!(side('-'), include_str!("page/guarded.rs"));
}

/// A Falconer at which signed callers have `notes:read:red`; it answers only the question for this origin.
async fn falconer(origin_port: u16) -> String {
    let check = async move |Json(question): Json<Value>| {
        let request = &question["request"];
        assert_eq!((request["host"].as_str(), request["port"].as_u64()), (Some("notes.example"), Some(origin_port.into())));
        let (expires, allowed) =
            ("2030-01-01T00:00:00.000Z", request["authorization"] == "Hawk signed" && question["required"] == "notes:read:red");
        Json(if allowed {
            json!({"status": "allowed", "expires": expires, "clientId": "ann"})
        } else {
            json!({"status": "denied", "reason": "scopes-missing", "message": "No", "id": "1", "missing": question["required"], "expires": expires})
        })
    };
    let app = Router::new().route("/api/falconer/v1/check", post(check));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    root
}

async fn get(app: &Router, path: &str, authorization: Option<&str>) -> (StatusCode, Value) {
    let mut request = Request::get(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status();
    (status, serde_json::from_slice(&to_bytes(answer.into_body(), 1 << 20).await.unwrap()).unwrap())
}

#[tokio::test]
async fn what_is_added_protects_the_service() {
    let book = json!({"book": "red", "notes": []});
    assert_eq!(get(&open::router(), "/books/red", None).await, (StatusCode::OK, book.clone()));

    let app = guarded::router(&falconer(8443).await, "https://notes.example:8443").unwrap();
    assert_eq!(get(&app, "/books/red", Some("Hawk signed")).await, (StatusCode::OK, book));
    for (path, authorization, expected) in [
        ("/books/blue", Some("Hawk signed"), StatusCode::FORBIDDEN),
        ("/books/red", None, StatusCode::FORBIDDEN),
        ("/books/re*", Some("Hawk signed"), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(get(&app, path, authorization).await.0, expected, "{path} {authorization:?}");
    }
    guarded::router("nowhere", "https://notes.example").unwrap_err();
}
