use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// One line a request: method, path, status. Never the query: in the query form a grant's credentials pass through it, and signed URLs are
/// credentials too.
pub(crate) async fn requests(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let query = if request.uri().query().is_some() { "?..." } else { "" };
    let response = next.run(request).await;
    tracing::info!(status = response.status().as_u16(), "{method} {path}{query}");
    response
}
