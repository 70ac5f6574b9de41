//! `falconer serve`: makes what is missing, serves until SIGTERM or Ctrl-C, ends gracefully.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use falconer_auth::Origin;
use falconer_web::{Limits, PublicOrigin, VersionInfo, Web, WebSettings};
use tokio::net::{TcpListener, TcpSocket};

use super::demo;
use crate::config::{Config, SecretText, address};
use crate::edge::{SystemClock, SystemRandom};
use crate::log;
use crate::node::{Access, Node, note_root_url, root_credentials_file, write_private};
use crate::output;
use crate::request_log::RequestLines;

/// `falconer serve`
#[derive(clap::Args)]
pub struct Options {
    /// The configuration file; by default falconer.toml in this folder, where there is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the database and the keys live
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Keep the records in PostgreSQL: postgres://user@host/database; a password is better in FALCONER_DATABASE_URL or its _FILE
    #[arg(long, value_name = "URL")]
    pub database_url: Option<SecretText>,
    /// Address and port, such as 127.0.0.1:8080; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub listen: Option<String>,
    /// Address and port that answer GET /metrics, for the operator's network only; without it nothing does
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub metrics_listen: Option<String>,
    /// The public origin, such as https://auth.example.com; not needed on loopback
    #[arg(long, value_name = "URL", value_parser = PublicOrigin::parse)]
    pub root_url: Option<PublicOrigin>,
    /// Print what `serve` has to say as JSON, one object a line
    #[arg(long)]
    pub json: bool,
    /// Try it out: Falconer, an example service and a person, on this machine only; without --data-dir in the folder .demo
    #[arg(long, conflicts_with_all = ["config", "root_url", "database_url", "metrics_listen"])]
    pub demo: bool,
}

/// Runs the server.
pub async fn run(options: Options) -> Result<()> {
    if options.demo {
        return demo::run(options).await;
    }
    let mut config = Config::read(options.config.as_deref(), std::env::vars())?;
    apply_flags(&mut config, &options);
    config.check()?;
    let log = log::start(&config.log)?;
    let (listener, origin) = listen(&config).await?;
    let node = Node::open(&config, auth_origin(&origin)?, Access::Alone, true).await?;
    if !node.auth.is_installed() {
        first_start(&config, &node, &origin, options.json).await?;
    } else if node.login.accounts().await?.is_empty() {
        tracing::info!("nobody can sign in yet: `falconer setup-link` makes a link for the first administrator");
    }
    note_root_url(&config.data_dir, origin.as_str())?;
    let metrics = match &config.metrics_listen {
        Some(address) => Some(bind(address).await.map_err(|error| cannot_listen("metrics_listen", &error, address))?),
        None => None,
    };
    if let Some(metrics) = &metrics {
        say(options.json, "metrics at", "metrics", &format!("http://{}/metrics", metrics.local_addr()?))?;
    }
    let shutdown = shutdown()?;
    say(options.json, "listening on", "listening", origin.as_str())?;
    serve(&config, node, origin, Listeners { public: listener, metrics }, &log, shutdown).await
}

/// The ports that were taken.
pub struct Listeners {
    /// For everybody.
    pub public: TcpListener,
    /// For the operator.
    pub metrics: Option<TcpListener>,
}

/// Flags win over file and environment.
pub fn apply_flags(config: &mut Config, options: &Options) {
    if let Some(folder) = &options.data_dir {
        config.data_dir.clone_from(folder);
    }
    if let Some(url) = &options.database_url {
        config.database_url = Some(url.clone());
    }
    if let Some(listen) = &options.listen {
        config.listen.clone_from(listen);
    }
    if let Some(listen) = &options.metrics_listen {
        config.metrics_listen = Some(listen.clone());
    }
    if let Some(url) = &options.root_url {
        config.root_url = Some(url.as_str().to_owned());
    }
}

/// A line for people or an object for programs.
fn say(json: bool, words: &str, key: &str, value: &str) -> Result<()> {
    if json { output::line(&serde_json::json!({ key: value }).to_string()) } else { output::line(&format!("{words} {value}")) }
}

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
async fn bind(address: &str) -> std::io::Result<TcpListener> {
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
        _ => String::new(),
    };
    anyhow::anyhow!("can't listen on {address}: {error}{step}")
}

/// The same origin, as `auth` knows it.
pub fn auth_origin(origin: &PublicOrigin) -> Result<Origin> {
    Origin::parse(origin.as_str()).with_context(|| format!("`{}` is no origin", origin.as_str()))
}

/// Writes the root credentials to a private file, and prints its path and the set-up link, never the credentials.
async fn first_start(config: &Config, node: &Node, origin: &PublicOrigin, json: bool) -> Result<()> {
    let file = root_credentials_file(&config.data_dir);
    if file.exists() {
        bail!("{} is there, but not the database that it belongs to: restore that, or move the file away to begin afresh", file.display());
    }
    let root = node.auth.fresh_install(false).await?;
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "rootUrl": origin.as_str(), "clientId": root.client_id, "accessToken": root.access_token.expose(),
    }))?;
    write_private(&file, &text)
        .context("the root client was made, but its token could not be kept: `falconer root-reset` gives it another")?;
    let link = super::setup_link::make(&node.login, origin).await?;
    say(json, "root credentials are in", "rootCredentials", &file.display().to_string())?;
    say(json, "make the first administrator (within an hour):", "setupUrl", &link)?;
    Ok(())
}

/// Serves until `shutdown`, keeps the chores going meanwhile, and writes what is left at the end.
pub async fn serve(
    config: &Config,
    node: Node,
    origin: PublicOrigin,
    listeners: Listeners,
    log: &log::Started,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let trusted = config
        .trusted_proxies
        .iter()
        .map(|text| text.parse().map_err(|error| anyhow::anyhow!("trusted_proxies: `{text}`: {error}")))
        .collect::<Result<_>>()?;
    let audit_retention_ms = config.audit.retention_ms()?;
    let request = Duration::from_secs(config.limits.request_seconds);
    let settings = WebSettings {
        public_origin: origin,
        trusted_proxies: trusted,
        version: VersionInfo { version: env!("CARGO_PKG_VERSION").to_owned(), commit: String::new() },
        limits: falconer_web::RequestLimits { total: request, ..Default::default() },
    };
    let limits = Limits {
        max_connections: config.limits.connections,
        headers: Duration::from_secs(config.limits.header_seconds),
        first_byte: Duration::from_secs(config.limits.header_seconds),
        idle: Duration::from_secs(config.limits.idle_seconds),
        // Room to write the answer that a request gets when it took too long.
        request: request + Duration::from_secs(30),
        ..Limits::default()
    };
    let web = Web {
        auth: node.auth.clone(),
        login: node.login.clone(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        log: Arc::new(RequestLines { lines: log.lines(), format: config.log.format }),
        metrics: Arc::default(),
        settings,
    };
    let chores =
        [tokio::spawn(follow(node.auth.clone())), tokio::spawn(keep_house(node.auth.clone(), node.store.clone(), audit_retention_ms))];
    let web = Arc::new(web);
    let metrics = listeners.metrics.map(|listener| tokio::spawn(serve_metrics(listener, Arc::clone(&web))));
    let served = falconer_web::serve(listeners.public, falconer_web::Front::new(web), limits, shutdown).await;
    chores.iter().chain(&metrics).for_each(tokio::task::JoinHandle::abort);
    node.auth.flush_uses().await.context("can't write the last uses")?;
    served.context("can't serve")?;
    tracing::info!("ended");
    Ok(())
}

/// A few connections are enough for whoever asks for metrics; more are refused, so that nothing is taken from the rest.
async fn serve_metrics(listener: TcpListener, web: Arc<Web>) {
    let limits = Limits { max_connections: 32, threads: 1, ..Limits::default() };
    let routes = falconer_web::metrics_routes(web, crate::process::figures);
    if let Err(error) = falconer_web::serve(listener, routes, limits, std::future::pending()).await {
        tracing::warn!(%error, "metrics can't be served");
    }
}

/// Takes in what the command line wrote beside this server.
async fn follow(auth: Arc<falconer_auth::Auth>) {
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = auth.catch_up().await {
            tracing::warn!(%error, "can't look for changes of other processes");
        }
    }
}

/// Writes uses once a minute; removes what ended long ago, clients that asked for it and old rows of the audit once an hour. None of it
/// decides anything: expiry is checked at use.
async fn keep_house(auth: Arc<falconer_auth::Auth>, store: Arc<dyn falconer_store::Store>, audit_retention_ms: Option<i64>) {
    let mut tick = tokio::time::interval(Duration::from_secs(60));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for minute in 0_u64.. {
        tick.tick().await;
        if let Err(error) = auth.flush_uses().await {
            tracing::warn!(%error, "can't note uses; trying again in a minute");
        }
        if minute % 60 == 0 {
            if let Err(error) = store.prune(auth.now_ms()).await {
                tracing::warn!(%error, "can't remove what has ended; trying again in an hour");
            }
            match delete_expired_clients(&auth).await {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(deleted, "deleted clients that had asked for it when they expired"),
                Err(error) => tracing::warn!(%error, "can't delete expired clients; trying again in an hour"),
            }
            let Some(retention_ms) = audit_retention_ms else { continue };
            match prune_audit(store.as_ref(), auth.now_ms().saturating_sub(retention_ms)).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "removed rows of the audit that are older than audit.retention"),
                Err(error) => tracing::warn!(%error, "can't remove old rows of the audit; trying again in an hour"),
            }
        }
    }
}

/// How much one step of upkeep takes at most, so that others get their turn at the store in between.
const UPKEEP_STEP: u32 = 1000;

async fn delete_expired_clients(auth: &falconer_auth::Auth) -> Result<usize, falconer_auth::ApiError> {
    let mut deleted = 0;
    loop {
        let found = auth.delete_expired_clients(UPKEEP_STEP as usize).await?;
        deleted += found;
        if found < UPKEEP_STEP as usize {
            return Ok(deleted);
        }
    }
}

async fn prune_audit(store: &dyn falconer_store::Store, before_ms: i64) -> Result<u64, falconer_store::StoreError> {
    let mut removed = 0;
    loop {
        let found = store.prune_audit(before_ms, UPKEEP_STEP).await?;
        removed += found;
        if found < u64::from(UPKEEP_STEP) {
            return Ok(removed);
        }
    }
}

/// Ready at the first SIGTERM or Ctrl-C.
pub fn shutdown() -> Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
