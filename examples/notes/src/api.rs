//! The backend. Each route states its scopes; handlers get what was verified.

use crate::books::{Books, LONGEST_TEXT_BYTES, Note};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use falconer_middleware::{Caller, Cors, Guard, SettingsError};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// JSON may write each byte of a text as `\u0000`, six bytes.
const BODY_LIMIT_BYTES: usize = LONGEST_TEXT_BYTES * 6 + 1024;

pub(crate) fn router(guard: &Guard, books: Arc<Books>) -> Result<Router, SettingsError> {
    let guard = guard.clone().with_body_limit(BODY_LIMIT_BYTES);
    Ok(Router::new()
        .route("/whoami", get(whoami).layer(guard.identify()))
        .merge(guard.route("/books/{book}/notes", "notes:read:<book>", get(list))?)
        .merge(guard.route("/books/{book}/notes/{name}", "notes:read:<book>", get(read))?)
        .merge(guard.route("/books/{book}/notes/{name}", "notes:write:<book>", put(write))?)
        .fallback(async || refusal(StatusCode::NOT_FOUND, "ResourceNotFound", "There is nothing here."))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        // Tools on other origins may call, with their own grants.
        .layer(Cors::any())
        .with_state(books))
}

/// What we know of the caller. The name comes from the identity that the person let us know, never from the clientId.
async fn whoami(caller: Caller) -> Response {
    let identity =
        caller.identity().map(|identity| json!({"id": identity.id, "displayName": identity.display_name, "email": identity.email}));
    Json(json!({"identity": identity, "scopes": caller.scopes(), "expires": caller.expires()})).into_response()
}

async fn list(State(books): State<Arc<Books>>, Path(book): Path<String>) -> Response {
    Json(books.list(&book)).into_response()
}

async fn read(State(books): State<Arc<Books>>, Path((book, name)): Path<(String, String)>) -> Response {
    match books.read(&book, &name) {
        Some(note) => Json(note).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "ResourceNotFound", &format!("The book {book} has no note {name}.")),
    }
}

#[derive(Deserialize)]
struct Written {
    text: String,
}

async fn write(
    State(books): State<Arc<Books>>,
    Path((book, name)): Path<(String, String)>,
    caller: Caller,
    written: Result<Json<Written>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let text = match written {
        Ok(Json(written)) => written.text,
        Err(rejection) => return refusal(rejection.status(), "InputError", &rejection.body_text()),
    };
    let author = caller.identity().map(|identity| identity.display_name.clone());
    let note = Note { name, text, author };
    match books.write(&book, note.clone()) {
        Ok(()) => Json(note).into_response(),
        Err(reason) => refusal(StatusCode::BAD_REQUEST, "InputError", &reason),
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"code": code, "message": message}))).into_response()
}
