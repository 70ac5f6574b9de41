//! A backend that Falconer protects: `FALCONER=https://auth.example.com ORIGIN=https://notes.example.com cargo run --example books`.
//! It listens on 127.0.0.1:8082, or where LISTEN says.

use std::process::ExitCode;

use axum::routing::{get, put};
use axum::{Json, Router, extract::Path};
use falconer_middleware::{Caller, Cors, Guard, SettingsError};
use serde_json::{Value, json};

/// `falconer` is Falconer's root URL. `origin` is where callers reach this service: it is what they sign.
fn app(falconer: &str, origin: &str) -> Result<Router, SettingsError> {
    // `/whoami`, which requires nothing, shows what is below `notes:`.
    let guard = Guard::new(falconer, origin)?.with_payload_hash_required().with_revealed(["notes:"])?;
    Ok(Router::new()
        // `<book>` in a scope is `{book}` of the path.
        .merge(guard.route("/books/{book}", "notes:read:<book>", get(read))?)
        .merge(guard.route("/books/{book}", "notes:write:<book>", put(write))?)
        .route("/whoami", get(whoami).layer(guard.identify()))
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

async fn serve() -> Result<(), String> {
    let setting = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set."));
    let (falconer, origin) = (setting("FALCONER")?, setting("ORIGIN")?);
    let app = app(&falconer, &origin).map_err(|error| error.to_string())?;
    let listen = setting("LISTEN").unwrap_or_else(|_| "127.0.0.1:8082".to_owned());
    let listener = tokio::net::TcpListener::bind(&listen).await.map_err(|error| format!("LISTEN: {listen}: {error}."))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("bound to {address}, for calls to {origin}");
    axum::serve(listener, app).await.map_err(|error| error.to_string())
}

#[tokio::main]
async fn main() -> ExitCode {
    // The log says why a call was answered with 503; the caller is not told.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
