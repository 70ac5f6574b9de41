use axum::routing::get;
use axum::{Json, Router, extract::Path};
use falconer_middleware::{Cors, Guard, SettingsError};
use serde_json::{Value, json};

async fn read(Path(book): Path<String>) -> Json<Value> {
    Json(json!({ "book": book, "notes": [] }))
}

fn app(falconer: &str, origin: &str) -> Result<Router, SettingsError> {
    let guard = Guard::new(falconer, origin)?;
    Ok(Router::new().merge(guard.route("/books/{book}", "notes:read:<book>", get(read))?).layer(Cors::any()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8082").await?;
    let app = app(&std::env::var("FALCONER")?, &std::env::var("ORIGIN")?)?;
    axum::serve(listener, app).await?;
    Ok(())
}
