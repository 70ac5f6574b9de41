//! Takes ports, and says which public origin follows from them.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use falconer_auth::Origin;
use falconer_web::PublicOrigin;
use tokio::net::{TcpListener, TcpSocket};

use crate::config::Config;

/// Takes the port first, because the public origin may follow from it.
pub async fn listen(config: &Config) -> Result<(TcpListener, PublicOrigin)> {
    let listener = bind(&config.listen).await.map_err(|error| cannot_listen("--listen", &error, &config.listen))?;
    let origin = origin_at(config, listener.local_addr()?)?;
    Ok((listener, origin))
}

/// How many connections may wait to be accepted. More than arrive at once after a restart: the system has whoever comes beyond it try again after a
/// second.
const BACKLOG: u32 = 4096;

/// Listens on the first address of this name that can be had.
pub async fn bind(address: &str) -> std::io::Result<TcpListener> {
    let mut refused = None;
    for address in tokio::net::lookup_host(address).await? {
        match listen_at(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidInput, "the name has no address")))
}

fn listen_at(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Elsewhere this would let a second server listen on the same port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The public origin of a server at this address.
pub fn origin_at(config: &Config, address: SocketAddr) -> Result<PublicOrigin> {
    let origin = match &config.root_url {
        Some(url) => url.clone(),
        None if address.ip().is_loopback() => format!("http://localhost:{}", address.port()),
        None => bail!(
            "listening on {} needs `root_url` (or --root-url): the https origin under which browsers reach this server, such as https://auth.example.com",
            config.listen
        ),
    };
    Ok(PublicOrigin::parse(&origin)?)
}

/// Why a port can't be had, and what to do.
pub fn cannot_listen(setting: &str, error: &std::io::Error, address: &str) -> anyhow::Error {
    let step = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("; something listens there already: stop it, or give another {setting} (port 0 takes a free one)")
        }
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 are for root: give a higher one and put a proxy in front".to_owned(),
        std::io::ErrorKind::AddrNotAvailable => {
            format!(
                "; this machine does not have that address: give one of its own as {setting}, 127.0.0.1 for this machine alone, or 0.0.0.0 for all of them"
            )
        }
        _ => format!("; give an address of this machine and a port as {setting}, such as 127.0.0.1:8080"),
    };
    anyhow::anyhow!("can't listen on {address}: {error}{step}")
}

/// The same origin, as `auth` knows it.
pub fn auth_origin(origin: &PublicOrigin) -> Result<Origin> {
    Origin::parse(origin.as_str()).with_context(|| format!("root_url: `{}` is no origin that a signature can name", origin.as_str()))
}
