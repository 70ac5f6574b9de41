use axum::routing::get;
use axum::{Json, Router, extract::Path};
use serde_json::{Value, json};

async fn read(Path(book): Path<String>) -> Json<Value> {
    Json(json!({ "book": book, "notes": [] }))
}

fn app() -> Router {
    Router::new().route("/books/{book}", get(read))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8082").await?;
    axum::serve(listener, app()).await?;
    Ok(())
}
