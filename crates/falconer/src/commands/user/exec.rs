//! `falconer exec`: a program with the credentials in its environment, as published clients read them.

use std::process::Command;

use anyhow::{Context as _, Result};
use falconer_client::{Client, Credentials, GrantEnd};
use falconer_wire::{DeriveGrantRequest, date_time, time_expression};

use super::ServerOptions;
use super::signing_in::grant_page::{lifetime, scope};
use crate::output::EndedWith;

/// For so long narrowed credentials hold where nothing else is asked for.
const LIFETIME: &str = "1 hour";

/// `falconer exec -- PROGRAM`
#[derive(clap::Args)]
#[command(after_help = "For example:  falconer exec --scope notes:read:red -- python job.py")]
pub struct Options {
    /// A scope that the program gets, as far as the credentials have it; may be repeated; by default all that they have
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<String>,
    /// With --scope: for how long the program's credentials hold, such as `3 hours`; an hour if it is not given
    #[arg(long, value_name = "TIME", value_parser = lifetime, requires = "scopes")]
    expires: Option<String>,
    #[command(flatten)]
    server: ServerOptions,
    /// The program, and its arguments
    #[arg(value_name = "PROGRAM", required = true, last = true)]
    program: Vec<String>,
}

/// Runs it. Its exit code is ours, and signals reach it.
pub async fn run(options: Options) -> Result<()> {
    let client = options.server.client()?;
    let credentials = client.credentials().context("there are no credentials: `falconer signin` begins a session")?.clone();
    let (program, arguments) = options.program.split_first().context("no program was named")?;
    let lifetime_ms = time_expression::parse_ms(options.expires.as_deref().unwrap_or(LIFETIME))?;
    let root_url = client.root_url().to_owned();
    if options.scopes.is_empty() {
        return in_place(command(program, arguments, &root_url, &credentials), program);
    }
    if credentials.certificate().is_none() {
        let less = credentials.temporary(None, &options.scopes, lifetime_ms)?;
        return in_place(command(program, arguments, &root_url, &less), program);
    }
    let derived = derive(&client, &options.scopes, lifetime_ms, program).await?;
    let outcome = beside(command(program, arguments, &root_url, &derived), program).await;
    // Nobody has it any more.
    let client = Client::new(&root_url)?.with_credentials(derived);
    if let GrantEnd::Counts(error) | GrantEnd::NotKnown(error) = client.end_grant().await {
        eprintln!("falconer: what the program was given may count to its end: {error}; it is listed at {root_url}/me/grants");
    }
    outcome
}

/// A part of a grant, which ends with it, and is listed under it.
async fn derive(client: &Client, scopes: &[String], lifetime_ms: i64, program: &str) -> Result<Credentials> {
    let expires = date_time::format_ms(falconer_client::system::now_ms().saturating_add(lifetime_ms));
    let name =
        std::path::Path::new(program).file_name().map_or_else(String::new, |name| name.to_string_lossy().chars().take(100).collect());
    let wish = DeriveGrantRequest { scopes: scopes.to_vec(), expires: Some(expires), purpose: Some(format!("falconer exec {name}")) };
    let derived = client.derive_grant(&wish).await.context(
        "the credentials can't be made less: they are temporary ones, of which only a grant's can, or they lack what was named; `falconer proxy --scope` signs with less",
    )?;
    Ok(Credentials::new(derived.credentials.client_id, derived.credentials.access_token)
        .with_certificate(derived.credentials.certificate)?)
}

fn command(program: &str, arguments: &[String], root_url: &str, credentials: &Credentials) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command.env("TASKCLUSTER_ROOT_URL", root_url).env("TASKCLUSTER_CLIENT_ID", credentials.client_id());
    command.env("TASKCLUSTER_ACCESS_TOKEN", credentials.access_token().expose());
    // Those of others would go along.
    match credentials.certificate() {
        Some(certificate) => command.env("TASKCLUSTER_CERTIFICATE", certificate),
        None => command.env_remove("TASKCLUSTER_CERTIFICATE"),
    };
    command
}

/// The program takes our place: its signals and its end are its own.
#[cfg(unix)]
fn in_place(mut command: Command, program: &str) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec()).with_context(|| format!("can't run {program}"))
}

#[cfg(not(unix))]
fn in_place(mut command: Command, program: &str) -> Result<()> {
    ended(command.status().with_context(|| format!("can't run {program}"))?)
}

/// The program runs beside us, since something is to be done after it.
async fn beside(command: Command, program: &str) -> Result<()> {
    let passing = Passing::open()?;
    let mut child = tokio::process::Command::from(command).spawn().with_context(|| format!("can't run {program}"))?;
    let status = passing.until_the_end_of(&mut child).await;
    ended(status.with_context(|| format!("can't wait for {program}"))?)
}

fn ended(status: std::process::ExitStatus) -> Result<()> {
    match super::proxy::exit_code(status) {
        0 => Ok(()),
        code => Err(EndedWith(code).into()),
    }
}

/// Signals that are passed on. None of them ends us before the program has ended.
#[cfg(unix)]
struct Passing {
    /// With what the program is sent; `None`: it has got it already.
    signals: Vec<(tokio::signal::unix::Signal, Option<rustix::process::Signal>)>,
}

#[cfg(unix)]
impl Passing {
    fn open() -> Result<Passing> {
        use rustix::process::Signal;
        use std::io::IsTerminal as _;
        use tokio::signal::unix::{SignalKind, signal};
        // The terminal itself sends these two to everybody in front of it.
        let unless_sent = |signal| (!std::io::stdin().is_terminal()).then_some(signal);
        let mut kinds = vec![
            (SignalKind::terminate(), Some(Signal::TERM)),
            (SignalKind::interrupt(), unless_sent(Signal::INT)),
            (SignalKind::quit(), unless_sent(Signal::QUIT)),
        ];
        // Who was started with `nohup` stays deaf to it.
        if !crate::system::process::ignores_hangup() {
            kinds.push((SignalKind::hangup(), Some(Signal::HUP)));
        }
        let mut signals = Vec::new();
        for (kind, sent) in kinds {
            signals.push((signal(kind).context("can't wait for signals")?, sent));
        }
        Ok(Passing { signals })
    }

    async fn until_the_end_of(mut self, child: &mut tokio::process::Child) -> std::io::Result<std::process::ExitStatus> {
        loop {
            let next = std::future::poll_fn(|context| {
                for (signal, sent) in &mut self.signals {
                    if signal.poll_recv(context).is_ready() {
                        return std::task::Poll::Ready(*sent);
                    }
                }
                std::task::Poll::Pending
            });
            let sent = tokio::select! {
                status = child.wait() => return status,
                sent = next => sent,
            };
            let process = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
            if let (Some(process), Some(sent)) = (process, sent) {
                let _ = rustix::process::kill_process(process, sent);
            }
        }
    }
}

#[cfg(not(unix))]
struct Passing;

#[cfg(not(unix))]
impl Passing {
    fn open() -> Result<Passing> {
        Ok(Passing)
    }

    async fn until_the_end_of(self, child: &mut tokio::process::Child) -> std::io::Result<std::process::ExitStatus> {
        child.wait().await
    }
}
