//! HTTP: the listener, the limits, the security headers, the pages and the API's routes.
//!
//! What it does: turns bytes into calls of the use cases in `falconer_auth`, `falconer_login` and `falconer_grants`, and their outcomes
//! into statuses, bodies and pages. What it deliberately does not do: decide anything about scopes, touch a store, read the clock or draw randomness by itself.
//!
//! To add a page, write a template in `templates/`, its view with named samples in `src/views/`, a handler in `src/pages/`, and a line in
//! `pages::router`. To add an API method, write a row in `falconer_wire`'s table and a handler in `src/api/`.

pub mod api;
mod http;
mod length;
mod listener;
mod metrics;
mod pages;
mod scim;
mod state;
mod views;

pub use crate::http::log::{PathAndQuery, RequestId, RequestLine, RequestLog, Traced};
pub use crate::http::public_origin::{PublicOrigin, PublicOriginError};
pub use api::{mailed_site, person_link, refreshed_person};
pub use listener::deadlines::Streaming;
pub use listener::network::{Network, NetworkError, client_address};
pub use listener::service::HttpService;
pub use listener::{End, Limits, serve, serve_until};
pub use metrics::{Metrics, ProcessFigures, routes as metrics_routes};
pub use pages::assets;
pub use state::{Peer, RequestLimits, VersionInfo, Web, WebSettings};
pub use views::markdown;
pub use views::words::exact_duration;

use std::sync::Arc;

/// [`HttpService`] as a router, for those who mount it elsewhere than on [`serve`].
pub fn router(web: Arc<Web>) -> axum::Router {
    let service = HttpService::new(web);
    axum::Router::new().fallback(move |request: axum::extract::Request| {
        let service = service.clone();
        async move { service.answer(request).await }
    })
}

/// Other routes with what surrounds each request: an id, limits, one log line, and no panic that gets out. [`HttpService`] has it already.
pub fn guarded(web: Arc<Web>, routes: axum::Router) -> axum::Router {
    routes.layer(axum::middleware::from_fn_with_state(web, crate::http::guard::layer))
}
