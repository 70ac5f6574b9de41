//! A backend that Falconer protects: `FALCONER=https://auth.example.com ORIGIN=https://notes.example.com cargo run --example books`.

use axum::routing::{get, put};
use axum::{Json, Router, extract::Path};
use falconer_middleware::{Caller, Cors, Guard, SettingsError};
use serde_json::{Value, json};

/// `falconer` is Falconer's root URL. `origin` is where callers reach this service: it is what they sign.
fn app(falconer: &str, origin: &str) -> Result<Router, SettingsError> {
    let guard = Guard::new(falconer, origin)?.with_payload_hash_required();
    let reads = guard.require("notes:read:<book>")?;
    let writes = guard.require("notes:write:<book>")?;
    Ok(Router::new()
        // `<book>` in a scope is `{book}` of the route. A layer guards all methods that are already there, hence `merge`.
        .route("/books/{book}", get(read).route_layer(reads).merge(put(write).route_layer(writes)))
        .route("/whoami", get(whoami).route_layer(guard.identify()))
        // Outermost: pages of other origins may call, and can read refusals too.
        .layer(Cors::any()))
}

async fn read(Path(book): Path<String>) -> Json<Value> {
    Json(json!({ "book": book, "notes": [] }))
}

async fn write(Path(book): Path<String>, caller: Caller, Json(note): Json<Value>) -> Json<Value> {
    // Who it was: only if the person agreed to tell. The clientId is for the log.
    let author = caller.identity().map(|who| who.id.clone());
    Json(json!({ "book": book, "note": note, "author": author }))
}

async fn whoami(caller: Caller) -> Json<Value> {
    let identity = caller.identity().map(|who| json!({ "id": who.id, "displayName": who.display_name }));
    Json(json!({ "identity": identity, "scopes": caller.scopes(), "expires": caller.expires() }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = app(&std::env::var("FALCONER")?, &std::env::var("ORIGIN")?)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8082").await?;
    axum::serve(listener, app).await?;
    Ok(())
}
