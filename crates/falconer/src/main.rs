//! The command line of Falconer: the server, its administration on the spot, and a user's tool for any server that speaks the protocol.
//!
//! One file a command, in the rooms of `commands/`. Nothing here decides anything about scopes, clients or grants. Only this crate names a concrete store.
//! A new command is a file, a variant of [`Command`] and a line in `run`.
//!
//! Exit codes: 0 done, 1 failed (the reason and what to do next are on stderr), 2 wrong use of the command line; 70 when a server ended at once
//! because its store failed under it. `attack` and `doctor` have two of their own, 3 and 4.

#![allow(rustdoc::bare_urls, reason = "the help shows these texts as they are")]

mod commands;
mod config;
mod log;
mod node;
mod output;
mod progress;
mod system;
mod text_file;
mod traces;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::database::{backup, migrate, restore, restored};
use commands::doctor;
use commands::operator::{PrintOptions, account, clock, keys, provider, repair, root_reset, setup_link, why};
use commands::people;
use commands::records::{application, client, export, import, role, scope_registry};
use commands::server::{config_check, gateway, init, serve};
use commands::user::offline::{sign_url, temporary};
use commands::user::session::{refresh, status, switch, whoami};
use commands::user::signing_in::{signin, signout};
use commands::user::{attack, curl, events, exec, proxy, scopes};

/// What `falconer --help` ends with.
const AFTER_HELP: &str = "\
The commands from `signin` on, and others with `--remote`, are for users of any server that speaks the protocol. They take the server and the credentials from the environment, \
as the published clients do: TASKCLUSTER_ROOT_URL, TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN, TASKCLUSTER_CERTIFICATE. Where it has no credentials \
they are those of a session, which `signin` begins on a terminal.

Exit codes: 0 done, 1 failed (the reason is on stderr), 2 wrong use of the command line; 70 when a server ended at once because its store failed. \
`attack` ends with 3 when it found something, and with 4 when it could not try all that it was asked to; `doctor` with 3 when something should be looked at, \
and with 4 when something is wrong.";

#[derive(Parser)]
#[command(name = "falconer", version, about = "An authorization server for third-party services", max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a data directory: database, keys, root client, first roles
    Init(init::Options),
    /// Serve until SIGTERM or Ctrl-C; makes what is missing
    Serve(serve::Options),
    /// Make a link (valid for an hour) with which an administrator account is made
    SetupLink(PrintOptions),
    /// Local accounts of a server on this machine
    #[command(subcommand)]
    Account(account::Account),
    /// People, on this machine or over the API: list, invite, change, stop, and which identities are linked
    #[command(subcommand)]
    Person(people::Person),
    /// Why a request was refused: what a running server compared
    Why(why::Options),
    /// Give the root client a new access token and print it
    RootReset(PrintOptions),
    /// The clock of this machine, where it was wrong while something was changed
    #[command(subcommand)]
    Clock(clock::Clock),
    /// The keys that seal secrets at rest, and the issuer of grants
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Give records whose sealed value does not open a new one
    Repair(repair::Options),
    /// Copy the database as it is at this moment, beside a running server
    Backup(backup::Options),
    /// Put a backup in the place of the database
    Restore(restore::Options),
    /// Say that the database was restored from a backup by other means: another history of it begins
    Restored(PrintOptions),
    /// Copy everything from SQLite into PostgreSQL, or back
    Migrate(migrate::Options),
    /// Check what the server stands on, and say what to do
    Doctor(doctor::Options),
    /// The configuration
    #[command(subcommand)]
    Config(config_check::Config),
    /// Identity providers: what a person would get
    #[command(subcommand)]
    Provider(provider::Provider),
    /// Protect a service that cannot be changed, by a file of rules
    #[command(subcommand)]
    Gateway(gateway::Gateway),
    /// Sign in at a server through the browser: begin a session, or print `export` lines where something reads them
    #[command(visible_alias = "login")]
    Signin(signin::Options),
    /// End the grant of the present credentials at the server, and forget them here
    #[command(visible_alias = "logout")]
    Signout(signout::Options),
    /// Who is signed in, where, until when, and whether the server agrees
    Status(status::Options),
    /// The clientId that calls are made as, once the server has said that it is so
    Whoami(whoami::Options),
    /// Choose the session that the commands use, or list all sessions
    Switch(switch::Options),
    /// Use the refresh token of a session, which shows that its grant lives
    Refresh(refresh::Options),
    /// Run a program with the credentials in its environment
    Exec(exec::Options),
    /// Make temporary credentials out of the present ones, for some scopes and a while, without asking a server
    Temporary(temporary::Options),
    /// Sign a URL, for whoever has it and a while, without asking a server
    SignUrl(sign_url::Options),
    /// What the present credentials may do
    CurrentScopes(scopes::CurrentScopes),
    /// What scopes expand to
    Expand(scopes::Expand),
    /// Send a signed request
    Curl(curl::Options),
    /// Try on your own service what goes wrong in practice, and say what to do about it
    Attack(attack::Options),
    /// Sign the requests of programs that cannot: plain HTTP in, signed requests out
    Proxy(proxy::Options),
    /// Follow the changes of clients and roles of a server
    Events(events::Options),
    /// Clients of a server
    #[command(subcommand)]
    Client(client::Client),
    /// Roles of a server
    #[command(subcommand)]
    Role(role::Role),
    /// Applications of a server that ask people for grants
    #[command(subcommand)]
    Application(application::Application),
    /// What services say of their scopes, for the people who are asked for them
    #[command(subcommand)]
    ScopeRegistry(scope_registry::ScopeRegistry),
    /// Make roles and clients what a file, or another deployment, says
    Import(import::Options),
    /// Write all roles and clients of a server, as `import` reads them
    Export(export::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    system::memory::protect_memory();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("falconer: can't start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    if let Some(output::EndedWith(code)) = error.downcast_ref() {
        return ExitCode::from(*code);
    }
    let is_broken_pipe = |e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe;
    if causes(error).any(|cause| cause.downcast_ref().is_some_and(is_broken_pipe)) {
        // Whoever read the output has what they wanted, as in `| head`.
        return ExitCode::SUCCESS;
    }
    let words = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<falconer_client::Error>().and_then(commands::user::named).unwrap_or_else(|| cause.to_string())
    };
    let texts: Vec<String> = causes(error).map(words).collect();
    // Some errors repeat in their own text what is below them. That is printed once.
    let mut distinct: Vec<String> = Vec::new();
    for text in texts {
        if !distinct.last().is_some_and(|before| before.ends_with(&text)) {
            distinct.push(text);
        }
    }
    eprintln!("falconer: {}", output::harmless(&distinct.join(": ")));
    if let Some(step) = commands::user::next_step(error) {
        eprintln!("{step}");
    }
    match error.downcast_ref::<output::Ended>() {
        Some(ended) => ExitCode::from(ended.code),
        None if error.downcast_ref::<output::WrongUse>().is_some() => ExitCode::from(2),
        None => ExitCode::FAILURE,
    }
}

/// An error and what is below it. The client's errors say all that a person needs. What is below them is of the network, and for programs.
fn causes(error: &anyhow::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut above_client = true;
    error.chain().take_while(move |cause| {
        let wanted = above_client;
        above_client = above_client && !cause.is::<falconer_client::Error>();
        wanted
    })
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Init(options) => init::run(options).await,
        Command::Serve(options) => serve::run(options).await,
        Command::SetupLink(options) => setup_link::run(options).await,
        Command::Account(account) => account::run(account).await,
        Command::Person(person) => people::run(person).await,
        Command::Why(options) => why::run(options).await,
        Command::RootReset(options) => root_reset::run(options).await,
        Command::Clock(command) => clock::run(command).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Repair(options) => repair::run(options).await,
        Command::Backup(options) => backup::run(options).await,
        Command::Restore(options) => restore::run(options).await,
        Command::Restored(options) => restored::run(options).await,
        Command::Migrate(options) => migrate::run(options).await,
        Command::Doctor(options) => doctor::run(options).await,
        Command::Config(config) => config_check::run(config).await,
        Command::Provider(command) => provider::run(command).await,
        Command::Gateway(command) => gateway::run(command).await,
        Command::Signin(options) => signin::run(options).await,
        Command::Signout(options) => signout::run(options).await,
        Command::Status(options) => status::run(options).await,
        Command::Whoami(options) => whoami::run(options).await,
        Command::Switch(options) => switch::run(&options),
        Command::Refresh(options) => refresh::run(options).await,
        Command::Exec(options) => exec::run(options).await,
        Command::Temporary(options) => temporary::run(&options),
        Command::SignUrl(options) => sign_url::run(&options),
        Command::CurrentScopes(options) => scopes::current(options).await,
        Command::Expand(options) => scopes::expand(options).await,
        Command::Curl(options) => curl::run(options).await,
        Command::Attack(options) => attack::run(options).await,
        Command::Proxy(options) => proxy::run(options).await,
        Command::Events(options) => events::run(options).await,
        Command::Client(client) => client::run(client).await,
        Command::Role(role) => role::run(role).await,
        Command::Application(command) => application::run(command).await,
        Command::ScopeRegistry(command) => scope_registry::run(command).await,
        Command::Import(options) => import::run(options).await,
        Command::Export(options) => export::run(options).await,
    }
}

/// Its tests run with ours.
#[cfg(test)]
#[path = "../build.rs"]
#[allow(dead_code, reason = "its `main` is cargo's")]
mod build_script;
