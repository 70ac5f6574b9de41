//! `falconer serve`: makes what is missing, serves until SIGTERM or Ctrl-C, ends gracefully, and at once at a second signal.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use falconer_auth::AuthError;
use falconer_store::StoreError;
use falconer_web::{Limits, PublicOrigin, VersionInfo, Web, WebSettings};
use tokio::net::TcpListener;

use super::super::demo;
use super::key_file;
use super::lease::Lease;
use super::listen::{auth_origin, bind, cannot_listen, listen};
use super::reread::Reread;
use super::shutdown::{Hangup, Rereads, Signals};
use super::upkeep::{follow, note_history, refresh_people, run_upkeep, send_logouts};
use super::watched::watched;
use crate::commands::operator::setup_link;
use crate::config::{Config, SecretText, WholeLists, address};
use crate::log::{self, RequestLines, TracedRequestLines};
use crate::node::{Access, Node, known_by_other, note_root_url, root_credentials_file, warnings, write_private};
use crate::output;
use crate::system::{SystemClock, SystemRandom};
use crate::traces;

/// How long a server that ends waits for mails that are not sent yet. One mail may take so long.
const MAIL_AT_THE_END: Duration = Duration::from_secs(30);
/// How long it goes on writing what is left once it was told a second time.
const AFTER_A_SECOND_SIGNAL: Duration = Duration::from_secs(1);

/// `falconer serve`
#[derive(clap::Args)]
pub struct Options {
    /// The configuration file; by default the one that FALCONER_CONFIG names, else falconer.toml in this folder
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the database and the keys live
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Keep the records in PostgreSQL: postgres://user@host/database; a password is better in FALCONER_DATABASE_URL or its _FILE
    #[arg(long, value_name = "URL")]
    pub database_url: Option<SecretText>,
    /// Address and port, such as 127.0.0.1:8080; port 0 takes a free one. With --demo the example service then takes a free one too, and prints it
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
    let config = options.config()?;
    let (log, level) = log::start(&config.log)?;
    let (listener, origin) = listen(&config).await?;
    let node = Node::open(&config, auth_origin(&origin)?, Access::Alone, true).await?;
    if let Some(file) = Config::file_that_counts(options.config.as_deref(), &std::env::vars().collect::<Vec<_>>()) {
        say(options.json, "settings from", "settings", &std::path::absolute(file)?.display().to_string())?;
    }
    if !node.auth.is_installed() {
        first_start(&config, &node, &origin, options.json).await?;
    } else if node.login.accounts().await?.is_empty() {
        tracing::info!("nobody can sign in yet: `falconer setup-link` makes a link for the first administrator");
    }
    for warning in warnings(&config, origin.as_str()) {
        tracing::warn!("{warning}");
    }
    for warning in known_by_other(&config, node.login.providers()).await? {
        tracing::error!("{warning}");
    }
    note_root_url(&config.data_dir, origin.as_str())?;
    let metrics = match &config.metrics_listen {
        Some(address) => Some(bind(address).await.map_err(|error| cannot_listen("metrics_listen", &error, address))?),
        None => None,
    };
    if let Some(metrics) = &metrics {
        say(options.json, "metrics at", "metrics", &format!("http://{}/metrics", metrics.local_addr()?))?;
    }
    let hangup = Hangup::of_a_service();
    let (signals, rereads) = (Signals::expect(hangup)?, Rereads::expect(hangup)?);
    say_listening(options.json, &origin, &listener)?;
    let reread = Reread { options, config: config.clone(), origin: origin.clone(), level, grants: node.grants.clone() };
    let rereading = watched("reading settings again", reread.serve(rereads));
    let served = serve(&config, node, origin, Listeners { public: listener, metrics }, &log, signals).await;
    rereading.abort();
    served
}

/// The ports that were taken.
pub struct Listeners {
    /// For everybody.
    pub public: TcpListener,
    /// For the operator.
    pub metrics: Option<TcpListener>,
}

impl Options {
    /// File, environment and flags as they are now, as far as can be said of them before anything is opened.
    pub fn config(&self) -> Result<Config> {
        let mut config = Config::read(self.config.as_deref(), std::env::vars())?;
        apply_flags(&mut config, self);
        config.check()?;
        Ok(config)
    }
}

/// Flags win over file and environment.
fn apply_flags(config: &mut Config, options: &Options) {
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

/// The last thing that `serve` prints: it is ready. The address is where the proxy has to send to, the origin what browsers and clients write.
fn say_listening(json: bool, origin: &PublicOrigin, listener: &TcpListener) -> Result<()> {
    let address = listener.local_addr()?;
    if json {
        return output::line(&serde_json::json!({ "listening": origin.as_str(), "address": address.to_string() }).to_string());
    }
    output::line(&format!("bound to {address}"))?;
    output::line(&format!("listening on {}", origin.as_str()))
}

/// Writes the root credentials to a private file, and prints its path and the set-up link, never the credentials.
async fn first_start(config: &Config, node: &Node, origin: &PublicOrigin, json: bool) -> Result<()> {
    let file = root_credentials_file(&config.data_dir);
    if file.exists() {
        bail!("{} is there, but not the database that it belongs to: restore that, or move the file away to begin afresh", file.display());
    }
    let root = match node.auth.fresh_install(false).await {
        Err(AuthError::AlreadyThere(_)) => {
            tracing::info!("another server has just set up the same database: the root credentials are where that one has written them");
            return Ok(());
        }
        installed => installed?,
    };
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "rootUrl": origin.as_str(), "clientId": root.client_id, "accessToken": root.access_token.expose(),
    }))?;
    write_private(&file, &text)
        .context("the root client was made, but its token could not be kept: `falconer root-reset` gives it another")?;
    let link = setup_link::make(&node.login, origin).await.with_context(|| {
        format!("the root credentials are in {}, but no set-up link could be made: `falconer setup-link` makes one", file.display())
    })?;
    say(json, "root credentials are in", "rootCredentials", &file.display().to_string())?;
    say(json, "make the first administrator (within an hour):", "setupUrl", &link)?;
    Ok(())
}

/// Serves until a signal, runs the background tasks meanwhile, and writes what is left at the end.
pub async fn serve(
    config: &Config,
    node: Node,
    origin: PublicOrigin,
    listeners: Listeners,
    log: &log::RunningLog,
    signals: Signals,
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
        version: VersionInfo { version: env!("CARGO_PKG_VERSION").to_owned(), commit: env!("FALCONER_BUILT_COMMIT").to_owned() },
        limits: falconer_web::RequestLimits {
            total: request,
            refuse_replays: config.limits.refuse_replays,
            lists_need_scope: config.services.whole_lists == WholeLists::Scope,
            ..Default::default()
        },
    };
    let limits = Limits {
        max_connections: config.limits.connections,
        max_connections_of_address: config.limits.connections_per_address,
        under_way_bytes: config.limits.under_way_mib.saturating_mul(1024 * 1024),
        under_way_bytes_of_address: config.limits.under_way_mib_per_address.saturating_mul(1024 * 1024),
        headers: Duration::from_secs(config.limits.header_seconds),
        first_byte: Duration::from_secs(config.limits.header_seconds),
        idle: Duration::from_secs(config.limits.idle_seconds),
        announce: config.announce(),
        // Room to write the answer that a request gets when it took too long.
        request: request + Duration::from_secs(30),
        ..Limits::default()
    };
    let (tracer, exporter) = traces::start(&config.tracing)?.unzip();
    let lines = RequestLines { lines: log.lines(), format: config.log.format };
    let web = Web {
        auth: node.auth.clone(),
        login: node.login.clone(),
        grants: node.grants.clone(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        log: if tracer.is_some() { Arc::new(TracedRequestLines(lines)) } else { Arc::new(lines) },
        metrics: Arc::default(),
        traces: tracer,
        settings,
    };
    let lease = Arc::new(Lease::keep(node.store.clone(), "upkeep").await);
    let reads_again = Arc::new(AtomicBool::new(false));
    let background_tasks = [
        watched("following the key file", key_file::follow(node.store.clone(), Arc::clone(&reads_again))),
        watched("saying which keys there are", key_file::note(node.store.clone())),
        watched("following the database", follow(node.auth.clone(), node.store.clone(), config.data_dir.clone(), reads_again)),
        watched("upkeep", run_upkeep(node.auth.clone(), node.store.clone(), lease.clone(), audit_retention_ms)),
        watched("asking providers about people", refresh_people(node.auth.clone(), node.login.clone())),
        watched(
            "telling applications",
            send_logouts(node.auth.clone(), node.grants.clone(), web.settings.public_origin.as_str().to_owned()),
        ),
    ];
    let web = Arc::new(web);
    let metrics = listeners.metrics.map(|listener| watched("serving metrics", serve_metrics(listener, Arc::clone(&web))));
    let service = falconer_web::HttpService::new(web);
    let served = falconer_web::serve_until(listeners.public, service, limits, signals.clone().first(), signals.clone().second()).await;
    background_tasks.iter().chain(&metrics).for_each(tokio::task::JoinHandle::abort);
    tokio::select! {
        () = node.login.mail_is_sent() => {}
        () = tokio::time::sleep(MAIL_AT_THE_END) => tracing::warn!("some mails were not sent: the mail server took too long, and this process ends"),
        () = signals.clone().second() => tracing::warn!("some mails were not sent: this process ends at once"),
    }
    let told_twice = async {
        signals.second().await;
        tokio::time::sleep(AFTER_A_SECOND_SIGNAL).await;
    };
    let written = tokio::select! {
        written = write_what_is_left(config, &node, &lease, exporter) => written,
        () = told_twice => {
            tracing::warn!("some last uses may not be written: this process ends at once");
            Ok(())
        }
    };
    served.context("can't serve")?;
    written.context("can't write the last uses")?;
    tracing::info!("ended");
    Ok(())
}

/// Gives back what others wait for, and writes what is not written yet. The database may be away.
async fn write_what_is_left(config: &Config, node: &Node, lease: &Lease, exporter: Option<traces::Exporter>) -> Result<(), StoreError> {
    lease.end().await;
    if let Err(error) = node.store.note_keys(&[], 0).await {
        tracing::debug!(%error, "that this server has ended will be known in half a minute");
    }
    // Also what the last half second changed, and whoever served for less than that.
    note_history(&node.auth, &config.data_dir);
    let written = node.auth.flush_uses().await;
    if let Some(exporter) = exporter {
        exporter.end().await;
    }
    written
}

/// A few connections are enough for whoever asks for metrics; more are refused, so that nothing is taken from the rest.
async fn serve_metrics(listener: TcpListener, web: Arc<Web>) {
    let limits = Limits { max_connections: 32, threads: 1, ..Limits::default() };
    let routes = falconer_web::metrics_routes(web, crate::system::process::figures);
    if let Err(error) = falconer_web::serve(listener, routes, limits, std::future::pending()).await {
        tracing::warn!(%error, "metrics can't be served");
    }
    std::future::pending().await
}
