//! Notes: a real third-party service, small enough to read in one sitting. A page with its own origin and a backend behind it.
#![allow(clippy::todo, unused)]

/// Where the service runs and whom it asks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The origin that browsers use for this service, such as `http://127.0.0.1:8081`; without a path.
    pub public_origin: String,
    /// Root URL of Falconer, such as `http://localhost:8080`.
    pub falconer_root_url: String,
}

/// Serves until `shutdown` resolves. Errors: a setting that is not a URL (`InvalidInput`), or the listener's.
pub async fn serve<F>(listener: tokio::net::TcpListener, settings: Settings, shutdown: F) -> std::io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    todo!()
}
