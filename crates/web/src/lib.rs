//! HTTP: the listener, the limits, the security headers, the pages and the API's routes.
//!
//! What it does: turns bytes into calls of the use cases in `falconer_auth` and `falconer_login`, and their outcomes into statuses, bodies and
//! pages. What it deliberately does not do: decide anything about scopes, touch a store, read the clock or draw randomness by itself.
//!
//! To add a page: a template in `templates/`, its view with named samples in `src/views/`, a handler in `src/pages/`, a line in
//! `pages::router`. To add an API method: a row in `falconer_wire`'s table and a handler in `src/api/`.

pub mod api;
pub mod assets;
mod cookie;
mod edge;
mod headers;
mod log;
pub mod markdown;
mod network;
mod pages;
mod problem;
mod public_origin;
mod same_origin;
mod server;
mod state;
mod views;
mod watch;
mod words;

pub use network::{Network, NetworkError, client_address};
pub use public_origin::{PublicOrigin, PublicOriginError};
pub use server::{Limits, serve};
pub use state::{Peer, RequestLimits, VersionInfo, Web, WebSettings};
pub use watch::Lasting;

use std::sync::Arc;

/// All routes: the API, the pages, what they load. Whatever the API does not own is a page.
pub fn router(web: Arc<Web>) -> axum::Router {
    let api = Arc::new(api::Api::new(Arc::clone(&web.auth), web.settings.clone(), Arc::clone(&web.random)));
    let routes = assets::router()
        .merge(pages::router(Arc::clone(&web)))
        // In front of the routes, because it looks at raw paths: a client's id in a path may hold what a router would take apart.
        .layer(axum::middleware::from_fn(move |request: axum::extract::Request, next: axum::middleware::Next| {
            let api = Arc::clone(&api);
            async move { if api::owns(request.uri().path()) { api.answer(request).await } else { next.run(request).await } }
        }));
    around(web, routes)
}

/// Other routes under the same roof: an id, limits, one log line, and no panic that gets out. [`router`] has it already.
pub fn around(web: Arc<Web>, routes: axum::Router) -> axum::Router {
    routes.layer(axum::middleware::from_fn_with_state(web, edge::edge))
}
