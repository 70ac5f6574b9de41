//! `falconer migrate`: everything that is kept, from SQLite into PostgreSQL or back, row by row and checked.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use falconer_auth::Random as _;
use falconer_store::copying::{Fingerprint, Print, Row, RowSource, RowTarget, TABLES, Table, Value};
use falconer_store::{Epoch, History, StoreError};
use falconer_store_postgres::copies::DatabaseRows;
use falconer_store_sqlite::copies::FileRows;
use serde_json::json;

use crate::config::SecretText;
use crate::node::{Storage, database_file, noted_history, private_folder};
use crate::output;
use crate::progress::Progress;
use crate::system::SystemRandom;

/// What `falconer migrate --help` ends with.
const AFTER_HELP: &str = "\
Stop every server first: the source is read as it is at one moment, and nobody can write to it meanwhile. The target has to be empty. No server starts on it \
before all is there and has been read back and compared; a run that was stopped or killed goes on when the same command is given again.\n\n\
Secrets are copied as they are sealed, and are not opened: servers on the target need the same key file. `falconer keys rotate` and `falconer keys reseal` \
seal them anew afterwards. Another history begins: those who follow events list everything again.\n\n\
A password is better in PGPASSWORD or PGPASSFILE than in a URL on the command line.";

/// About so many bytes of rows are in memory at once.
const PART_BYTES: usize = 4 * 1024 * 1024;
/// So many rows at once at most.
const PART_ROWS: usize = 2000;

/// `falconer migrate`
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// Where everything is: a data directory, or postgres://user@host/database
    #[arg(long, value_name = "DIR or URL")]
    from: SecretText,
    /// Where it is to be, and nothing is yet: the same
    #[arg(long, value_name = "DIR or URL")]
    to: SecretText,
    /// Print one JSON object: revision, epoch, rows, and in tables the rows and the sha256 of each
    #[arg(long)]
    json: bool,
}

/// Copies, compares, and lets servers in; or says what is in the way.
pub async fn run(options: Options) -> Result<()> {
    let (from_folder, to_folder) = (PathBuf::from(options.from.expose()), PathBuf::from(options.to.expose()));
    let (from, to) = (place(&options.from, &from_folder), place(&options.to, &to_folder));
    if options.from.expose() == options.to.expose() {
        return Err(output::WrongUse("--from and --to are the same".to_owned()).into());
    }
    must_be_a_source(&from).await?;
    let mut source = source(&from).await.map_err(|error| from.explain(error, None))?;
    let mut target = target(&to).await.map_err(|error| match error.downcast_ref() {
        Some(StoreError::Conflict) => anyhow::anyhow!("{} holds a Falconer already: the target has to be empty", to.shown()),
        _ => to.explain(error, None),
    })?;
    eprintln!("{} is held: nothing can be changed in it before this ends", from.shown());
    let standing = source.standing().await?;
    let prints = copy(source.as_mut(), target.as_mut()).await?;
    compare(target.as_mut(), &prints).await?;
    let mut bytes = [0_u8; 8];
    SystemRandom.fill(&mut bytes);
    let epoch = Epoch::from_random(bytes);
    target.finish(&standing, epoch).await.with_context(|| format!("can't finish {}", to.shown()))?;
    if let Err(error) = target.gather_statistics().await {
        eprintln!(
            "warning: everything is in {}, and servers can start on it, but its statistics could not be gathered: run ANALYZE there, or the first queries are slow: {error}",
            to.shown()
        );
    }
    drop((source, target));
    // Else the next start on either data directory takes this for a restored backup. It begins one history more then, and that is all.
    for storage in [&from, &to] {
        if let Storage::File { data_dir } = storage
            && let Err(error) = noted_history::note(data_dir, History { epoch, start: standing.revision }, standing.revision)
        {
            eprintln!("warning: {error:#}");
        }
    }
    say(&options, &from, &to, &prints, standing.revision.0, epoch)
}

/// Errors where nothing is there: which file is missing, and what `--from` names.
async fn must_be_a_source(from: &Storage<'_>) -> Result<()> {
    if from.is_there().await? {
        return Ok(());
    }
    const NAMES: &str = "--from names the data directory of the server that is to be moved, or the URL of its database (postgres://...)";
    match from {
        Storage::File { data_dir } => {
            bail!("{} holds no Falconer: {} is missing. {NAMES}", data_dir.display(), database_file(data_dir).display())
        }
        Storage::Postgres { .. } => bail!("{} holds no Falconer: its tables are missing. {NAMES}", from.shown()),
    }
}

fn place<'p>(text: &'p SecretText, folder: &'p Path) -> Storage<'p> {
    let url = text.expose();
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Storage::Postgres { url, notify_url: None }
    } else {
        Storage::File { data_dir: folder }
    }
}

async fn source(from: &Storage<'_>) -> Result<Box<dyn RowSource>> {
    Ok(match from {
        Storage::File { data_dir } => Box::new(FileRows::source(&database_file(data_dir))?),
        Storage::Postgres { url, .. } => Box::new(DatabaseRows::source(url).await?),
    })
}

async fn target(to: &Storage<'_>) -> Result<Box<dyn RowTarget>> {
    Ok(match to {
        Storage::File { data_dir } => {
            private_folder(data_dir)?;
            Box::new(FileRows::target(&database_file(data_dir))?)
        }
        Storage::Postgres { url, .. } => Box::new(DatabaseRows::target(url).await?),
    })
}

/// Each table, and what its rows come to. Where the target has rows already, they have to be the first ones of the source, else the table is copied anew.
async fn copy(source: &mut dyn RowSource, target: &mut dyn RowTarget) -> Result<Vec<(&'static Table, Print)>> {
    let mut total = 0_u64;
    for table in TABLES {
        total = total.saturating_add(source.count(table).await?);
    }
    let mut progress = Progress::start("copying", usize::try_from(total).unwrap_or(usize::MAX));
    let mut prints = Vec::new();
    for table in TABLES {
        let print = copy_table(source, target, table, &mut progress).await.with_context(|| format!("can't copy {}", table.name))?;
        prints.push((table, print));
    }
    progress.end();
    Ok(prints)
}

async fn copy_table(
    source: &mut dyn RowSource,
    target: &mut dyn RowTarget,
    table: &'static Table,
    progress: &mut Progress,
) -> Result<Print> {
    let there = target.count(table).await?;
    source.open(table).await?;
    let mut print = Fingerprint::default();
    if there > 0 {
        let mut copied = Fingerprint::default();
        target.open(table).await?;
        read(target, there, |row| copied.add(row)).await?;
        read(source, there, |row| print.add(row)).await?;
        if print.print() != copied.print() {
            target.clear(table).await?;
            source.open(table).await?;
            print = Fingerprint::default();
        }
        progress.advance(usize::try_from(print.print().rows).unwrap_or(usize::MAX));
    }
    let mut most = 1;
    loop {
        let rows = source.next(most).await?;
        if rows.is_empty() {
            return Ok(print.print());
        }
        rows.iter().for_each(|row| print.add(row));
        target.insert(table, &rows).await?;
        progress.advance(rows.len());
        most = next_part(&rows);
    }
}

/// All rows of the target again, as they are there now.
async fn compare(target: &mut dyn RowTarget, prints: &[(&'static Table, Print)]) -> Result<()> {
    let total: u64 = prints.iter().map(|(_, print)| print.rows).sum();
    let mut progress = Progress::start("comparing", usize::try_from(total).unwrap_or(usize::MAX));
    for (table, expected) in prints {
        let mut found = Fingerprint::default();
        target.open(table).await?;
        read(target, u64::MAX, |row| {
            found.add(row);
            progress.advance(1);
        })
        .await?;
        if found.print() != *expected {
            bail!(
                "the copy of {} is not what was read: {} rows instead of {}, or other ones. Run this again",
                table.name,
                found.print().rows,
                expected.rows
            );
        }
    }
    progress.end();
    Ok(())
}

/// The next rows of what was opened, `left` of them at most.
async fn read<S: RowSource + ?Sized>(rows: &mut S, mut left: u64, mut each: impl FnMut(&Row)) -> Result<()> {
    let mut most = 1;
    while left > 0 {
        let part = rows.next(most.min(usize::try_from(left).unwrap_or(usize::MAX))).await?;
        if part.is_empty() {
            break;
        }
        part.iter().for_each(&mut each);
        left = left.saturating_sub(part.len() as u64);
        most = next_part(&part);
    }
    Ok(())
}

/// How many rows come next, so that rows with ten thousand scopes each are read a few at a time.
fn next_part(rows: &[Row]) -> usize {
    let size = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(|item| item.len().saturating_add(24)).sum(),
        Value::Null | Value::Int(_) | Value::Bool(_) => 0,
    };
    let largest = rows.iter().map(|row| row.iter().map(|value| size(value).saturating_add(32)).sum::<usize>()).max().unwrap_or_default();
    // Rows that come may be larger than those that came, so it grows step by step.
    (PART_BYTES / largest.max(1)).clamp(1, PART_ROWS).min(rows.len().saturating_mul(4).max(1))
}

fn say(
    options: &Options,
    from: &Storage<'_>,
    to: &Storage<'_>,
    prints: &[(&'static Table, Print)],
    revision: i64,
    epoch: Epoch,
) -> Result<()> {
    let rows: u64 = prints.iter().map(|(_, print)| print.rows).sum();
    if options.json {
        let hex = |print: &Print| print.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let tables: serde_json::Map<_, _> =
            prints.iter().map(|(table, print)| (table.name.to_owned(), json!({ "rows": print.rows, "sha256": hex(print) }))).collect();
        return output::json(&json!({ "revision": revision, "epoch": epoch.to_string(), "rows": rows, "tables": tables }));
    }
    output::line(&format!("{rows} rows of {} tables are in {}, the same as in {}", prints.len(), to.shown(), from.shown()))?;
    output::line(match to {
        Storage::Postgres { .. } => "Next: start the servers with database_url, and with the key file of before",
        Storage::File { .. } => {
            "Next: put the key file of before where the configuration has it (falconer.keys in the data directory), and start the server without database_url"
        }
    })?;
    output::line(&format!("Then move {} away, so that no server is started on it by mistake", from.shown()))
}
