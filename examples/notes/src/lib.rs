//! Notes: a real third-party service, small enough to read in one sitting.
//!
//! A page (`page/`, plain HTML, CSS and one module) that signs in with Falconer, and a backend (`api`) whose notebooks are guarded by scopes:
//! `notes:read:<book>` and `notes:write:<book>`. The notes are in memory and bounded; a restart forgets them.
//!
//! What it deliberately does not do: it has no accounts, no sessions, no cookies and no secret, it never looks at a clientId, and its log
//! never shows a query. It is an example: on the open internet, put a proxy with timeouts in front.

mod api;
mod books;
mod log;
mod page;

use falconer_middleware::Guard;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Where the service runs and whom it asks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The origin that browsers use for this service, such as `http://127.0.0.1:8081`; without a path.
    pub public_origin: String,
    /// Root URL of Falconer, such as `http://localhost:8080`.
    pub falconer_root_url: String,
}

/// Serves until `shutdown` resolves. Errors: a setting that is not a URL (`InvalidInput`), or the listener's.
pub async fn serve<F>(listener: tokio::net::TcpListener, settings: Settings, shutdown: F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let app = router(&settings)?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(shutdown).await
}

/// The whole service. Errors: `InvalidInput`, with the setting that cannot be used.
pub fn router(settings: &Settings) -> io::Result<axum::Router> {
    // The page shows what somebody may do here; of other services it is told nothing.
    let guard =
        Guard::new(&settings.falconer_root_url, &settings.public_origin).map_err(invalid)?.with_revealed(["notes:"]).map_err(invalid)?;
    let api = api::router(&guard, Arc::default()).map_err(invalid)?;
    let page = page::router(&settings.falconer_root_url).map_err(invalid)?;
    Ok(page.nest("/api", api).layer(axum::middleware::from_fn(log::requests)))
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
