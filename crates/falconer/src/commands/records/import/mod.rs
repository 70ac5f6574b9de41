//! `falconer import`: roles and clients from a file or another deployment, in atomic batches that can be repeated.
//!
//! Everything is validated first: the file here, and then each batch by the server in a dry run. Only then anything is written. There is no
//! state of its own: a batch that is there already changes nothing, so an import that was stopped is simply run again.

mod batches;
mod file;
mod records;
mod source;
mod tokens;

use std::path::PathBuf;

use anyhow::{Context, Result};
use falconer_client::{Client, Retry};
use falconer_wire::ImportOutcome;
use serde_json::json;

use self::batches::{Batch, Tally};
use self::records::{Origin, Records};
use self::tokens::{Tokens, Written};
use crate::commands::user::{UserOptions, server_url};
use crate::output;
use crate::progress::Progress;

/// What `falconer import --help` ends with.
const AFTER_HELP: &str = "\
FILE holds one JSON object a line:
  {\"kind\":\"role\",\"roleId\":\"team:red\",\"scopes\":[\"notes:*\"],\"description\":\"The red team\"}
  {\"kind\":\"client\",\"clientId\":\"project/robot\",\"scopes\":[\"assume:team:red\"],\"expires\":\"2030-01-01T00:00:00Z\",\"description\":\"\"}
A client may also have \"deleteOnExpiration\", \"disabled\" and \"accessToken\", which is then kept.

Records that are not named are left alone. Nothing is written before all of it was checked. An import that was stopped is run again: what is there \
already is left alone. The access tokens of new clients come once, as {\"clientId\":...,\"accessToken\":...} lines on stdout or in the file of --tokens; \
for 15 minutes a repetition gives them again. With --json the last line on stdout says how many records were created, updated and unchanged.";

/// `falconer import`
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// JSON lines; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present = "from_root_url", conflicts_with = "from_root_url")]
    file: Option<PathBuf>,
    /// Take roles and clients from this running deployment, through its API; each client gets a new access token
    #[arg(long, value_name = "URL", value_parser = server_url)]
    from_root_url: Option<String>,
    /// The clientId for that deployment; it needs `auth:list-roles` and `auth:list-clients`
    #[arg(long, value_name = "ID", env = "FALCONER_FROM_CLIENT_ID")]
    from_client_id: Option<String>,
    /// Its access token; better in the environment, where other users of the machine don't see it
    #[arg(long, value_name = "TOKEN", env = "FALCONER_FROM_ACCESS_TOKEN", hide_env_values = true)]
    from_access_token: Option<String>,
    /// Its certificate, for temporary credentials
    #[arg(long, value_name = "JSON", env = "FALCONER_FROM_CERTIFICATE", hide_env_values = true)]
    from_certificate: Option<String>,
    /// Append the access tokens of new clients to this file, which nobody else can read, instead of printing them
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    tokens: Option<PathBuf>,
    /// Check everything and say what would happen; change nothing
    #[arg(long)]
    dry_run: bool,
    /// How many clients make a batch
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch_size: u16,
    #[command(flatten)]
    user: UserOptions,
}

/// Runs it.
pub async fn run(options: Options) -> Result<()> {
    let server = options.user.client()?.with_retry(batches::patient(Retry::default()));
    let mut records = read(&options).await?;
    let batches = batches::split(&mut records, usize::from(options.batch_size));
    let origin = &records.origin;
    let mut tokens = Tokens::open(options.tokens.as_deref())?;

    let (planned, waiting) = check(&server, &batches, origin, &tokens).await?;
    if options.dry_run {
        return summary(&options, &planned, Written::default(), 0);
    }
    let (done, without) = write(&server, &batches, &waiting, origin, &mut tokens).await?;
    summary(&options, &done, tokens.written(), without)
}

async fn read(options: &Options) -> Result<Records> {
    if let Some(url) = &options.from_root_url {
        let credentials = source::credentials(
            options.from_client_id.as_deref(),
            options.from_access_token.as_deref(),
            options.from_certificate.as_deref(),
        )?;
        return source::read(url, credentials).await;
    }
    let path = options.file.as_deref().context("no FILE")?;
    file::read(path)
}

/// Lets the server check each batch. What would happen, and which batches are to be sent: those that change something, or may be owed tokens
/// that are not known here.
async fn check(server: &Client, batches: &[Batch], origin: &Origin, tokens: &Tokens) -> Result<(Tally, Vec<bool>)> {
    let mut tally = Tally::default();
    let mut waiting = Vec::new();
    let mut progress = Progress::start("checking", records_of(batches));
    for batch in batches {
        let report = batch.send(server, origin, true).await.context("nothing was written")?;
        let owed = |id: &str| !tokens.has(id);
        waiting.push(tally.add(&report) || batch.clients_without_token().any(owed));
        progress.advance(batch.len());
    }
    progress.end();
    Ok((tally, waiting))
}

/// Sends what waits. What happened, and how many clients were there already whose token nobody told.
async fn write(server: &Client, batches: &[Batch], waiting: &[bool], origin: &Origin, tokens: &mut Tokens) -> Result<(Tally, usize)> {
    let mut tally = Tally::default();
    let mut without = 0;
    let total = records_of(batches);
    let mut progress = Progress::start("importing", total);
    for (batch, waits) in batches.iter().zip(waiting) {
        if *waits {
            let report = batch.send(server, origin, false).await.with_context(|| {
                format!(
                    "stopped after {} of {} records: what was acknowledged is there; run the same command again to go on",
                    tally.len(),
                    total
                )
            })?;
            tally.add(&report);
            tokens.keep(&report).context(
                "the access tokens of the last batch could not be written; run the same command again within 15 minutes to get them",
            )?;
            without += batch.clients_without_token().filter(|id| !tokens.has(id)).count();
        } else {
            tally.add_unchanged(batch);
        }
        progress.advance(batch.len());
    }
    progress.end();
    Ok((tally, without))
}

fn records_of(batches: &[Batch]) -> usize {
    batches.iter().map(Batch::len).sum()
}

fn summary(options: &Options, tally: &Tally, tokens: Written, without: usize) -> Result<()> {
    if options.user.json {
        let mut done = json!({
            "roles": tally.roles, "clients": tally.clients, "newTokens": tokens.new, "repeatedTokens": tokens.repeated, "unknownTokens": without,
            "dryRun": options.dry_run,
        });
        if options.dry_run
            && let Some(members) = done.as_object_mut()
        {
            members.insert("changes".to_owned(), json!(tally.changes));
        }
        return output::line(&done.to_string());
    }
    if options.dry_run {
        for change in &tally.changes {
            let outcome = if change.outcome == ImportOutcome::Created { "created" } else { "updated" };
            output::line(&format!("{} {} would be {outcome}", change.kind, output::harmless(&change.id)))?;
        }
    }
    let would = if options.dry_run { "would be " } else { "" };
    for (what, count) in [("roles", &tally.roles), ("clients", &tally.clients)] {
        eprintln!("{what}: {would}{} created, {} updated, {} unchanged", count.created, count.updated, count.unchanged);
    }
    if let Some(path) = &options.tokens
        && tokens.new > 0
    {
        eprintln!("{} access tokens of new clients are in {}", tokens.new, path.display());
    }
    if tokens.repeated > 0 {
        eprintln!("access tokens of clients that were made less than 15 minutes ago, told once more: {}", tokens.repeated);
    }
    if without > 0 {
        eprintln!(
            "{without} clients were there already and keep their access tokens, which can't be shown; `falconer client reset` makes another"
        );
    }
    Ok(())
}
