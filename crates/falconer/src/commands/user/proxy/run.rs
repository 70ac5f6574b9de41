use std::path::PathBuf;

use anyhow::{Result, bail};
use falconer_gateway::{Destinations, Settings, SigningProxy};

use super::credentials::{self, StartingCredentials};
use super::{beside, place};
use crate::commands::server::serve::{Hangup, shutdown};
use crate::commands::user::server_url;
use crate::commands::user::signing_in::grant_page::{lifetime, scope};
use crate::config::Log;
use crate::log;
use crate::output::{self, WrongUse};

/// What the help of the command ends with.
const AFTER_HELP: &str = "\
Requests: /api/<service>/<version>/<path> and /<service>/<version>/<path> go to the root URL, /<host>/<path> goes to a host of --host. A signature of the client's \
own is replaced. Whoever reaches the proxy can use its credentials: on loopback everybody with an account on this machine, on a unix socket only you.

One program only:  falconer proxy --host https://notes.example.com -- python job.py";

/// `falconer proxy`
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// Address and port; port 0 takes a free one. By default 127.0.0.1:8090, or a free port where a program is given
    #[arg(long, value_name = "ADDRESS", conflicts_with = "socket")]
    listen: Option<String>,
    /// Listen on a unix socket, which only you can open
    #[arg(long, value_name = "PATH", conflicts_with = "print_env")]
    socket: Option<PathBuf>,
    /// Allow an address that other machines reach: each of them can use the credentials
    #[arg(long)]
    beyond_loopback: bool,
    /// A name by which programs call the proxy, beside addresses and localhost; may be repeated
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// A host that requests may go to, beside the root URL: https://notes.example.com, or http://127.0.0.1:8081; may be repeated
    #[arg(long = "host", value_name = "ORIGIN")]
    hosts: Vec<String>,
    /// Restrict each request to this scope; may be repeated; by default what the credentials have. With --signin, what is asked for
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<String>,
    /// Credentials as `falconer signin --json` prints them, instead of those of the environment; the file is read again when it changes
    #[arg(long, value_name = "FILE", conflicts_with = "signin")]
    credentials: Option<PathBuf>,
    /// Get the credentials through the browser, and ask again before they end
    #[arg(long)]
    signin: bool,
    /// With --signin: a wish for the lifetime, such as `1 hour` or `3 days`
    #[arg(long, value_name = "TIME", value_parser = lifetime, requires = "signin")]
    expires: Option<String>,
    /// With --signin: print the address and open no browser
    #[arg(long, requires = "signin")]
    no_browser: bool,
    /// Let `PUT /credentials` replace the credentials
    #[arg(long)]
    accept_credentials: bool,
    /// Bodies up to this are kept until they are there whole, and their hash is signed
    #[arg(long, value_name = "BYTES", default_value = "1048576", value_parser = clap::value_parser!(u32).range(1..=67_108_864))]
    body_limit: u32,
    /// Pass larger bodies on as they come, without a signed hash, instead of refusing them
    #[arg(long)]
    stream_bodies: bool,
    /// So often the server is asked whether the credentials of an open WebSocket still count
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=900))]
    recheck: u64,
    /// The server; by default that of the credentials' file, or TASKCLUSTER_ROOT_URL
    #[arg(long, value_name = "URL", value_parser = server_url)]
    root_url: Option<String>,
    /// Print lines for the shell that tell other programs of the proxy
    #[arg(long, conflicts_with = "program")]
    print_env: bool,
    /// A program that is told of the proxy; the proxy ends with it, and with its exit code
    #[arg(last = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

impl Options {
    fn listen(&self) -> &str {
        match &self.listen {
            Some(address) => address,
            None if self.program.is_empty() => "127.0.0.1:8090",
            None => "127.0.0.1:0",
        }
    }
}

/// Serves until it is told to end, or its program ends.
pub async fn run(options: Options) -> Result<()> {
    if options.socket.is_some() && !options.program.is_empty() {
        return Err(WrongUse("a program is told of an address, not of a socket: leave --socket out".to_owned()).into());
    }
    let source = if let Some(file) = &options.credentials {
        credentials::Source::File(file.clone())
    } else if options.signin {
        credentials::Source::Grant(credentials::Grant {
            scopes: options.scopes.clone(),
            expires: options.expires.clone(),
            no_browser: options.no_browser,
        })
    } else {
        credentials::Source::Environment
    };
    // A program has the terminal for itself.
    let level = if options.program.is_empty() { Log::default().level } else { "warn".to_owned() };
    let _log = log::start(&Log { level, ..Log::default() })?;
    // Listens before anybody is sent to a browser for nothing.
    let place = place::Place::take(options.listen(), options.socket.as_deref(), options.beyond_loopback).await?;
    let StartingCredentials { root_url, credentials, renewal } = source.first(options.root_url.clone(), options.accept_credentials).await?;
    let settings = Settings {
        destinations: Destinations::new(&root_url, &options.hosts).map_err(|error| WrongUse(format!("--host: {error}")))?,
        // What is granted is no more than what was asked for, and may be less: a restriction to all of it would refuse each request.
        authorized_scopes: (!options.scopes.is_empty() && !options.signin).then(|| options.scopes.clone()),
        names: options.names.clone(),
        body_limit_bytes: options.body_limit as usize,
        stream_bodies: options.stream_bodies,
        accept_credentials: options.accept_credentials,
        recheck: std::time::Duration::from_secs(options.recheck),
        revision: env!("FALCONER_BUILT_COMMIT").to_owned(),
    };
    let proxy = SigningProxy::new(settings, credentials)?;
    let own = renewal.own();
    let renewing = tokio::spawn(renewal.keep(root_url.clone(), proxy.clone()));
    let done = match options.program.split_first() {
        Some((program, arguments)) => beside::run(program, arguments, &root_url, place, proxy).await,
        None => {
            let shutdown = shutdown(Hangup::of_a_command())?;
            if options.print_env {
                output::line(&format!("export TASKCLUSTER_PROXY_URL={}", output::shell_word(&place.url())))?;
                output::line(&format!("export TASKCLUSTER_ROOT_URL={}", output::shell_word(&root_url)))?;
                output::line("unset TASKCLUSTER_CLIENT_ID TASKCLUSTER_ACCESS_TOKEN TASKCLUSTER_CERTIFICATE")?;
            } else {
                output::line(&format!("signs for {}", [vec![root_url.clone()], options.hosts].concat().join(", ")))?;
                output::line(&format!("listening on {}", place.url()))?;
            }
            if place.serve(proxy, shutdown).await { Ok(()) } else { bail_cut_off() }
        }
    };
    renewing.abort();
    if let Some(own) = own {
        own.end(&root_url).await?;
    }
    done
}

fn bail_cut_off() -> Result<()> {
    bail!("some requests took too long to end")
}
