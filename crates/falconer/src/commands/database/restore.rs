//! `falconer restore`: puts a backup in the place of the database, checked before anything is replaced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use falconer_auth::{Clock as _, Random as _};
use falconer_store::{History, KeyRing, Randomness, Revision};
use falconer_store_sqlite::copies::{Inspected, Locked, Staged, inspect, is_a_database_of_ours};
use serde_json::json;
use zeroize::Zeroizing;

use crate::commands::operator::LocalOptions;
use crate::config::Config;
use crate::node::{Storage, database_file, is_file, key_file, noted_history, private_folder, read_keys, write_private};
use crate::output::{self, shell_word};
use crate::progress::Progress;
use crate::system::{SystemClock, SystemRandom};
use crate::text_file;

/// What `falconer restore --help` ends with.
const AFTER_HELP: &str = "\
The server has to be stopped. Before anything is replaced the backup is copied beside the database, each of its pages is read, and each sealed value is \
opened with the key file, which has to be the one of its time. What was there is kept under another name.\n\n\
A restored database begins another history: revisions and ids of events of what is lost mean nothing in it, and those who follow events list \
everything again. What was revoked or disabled after the backup is in force again: go through the audit.";

/// `falconer restore`
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// What `falconer backup` made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Put it in the place of the database that is there, which is kept under another name
    #[arg(long)]
    replace: bool,
    /// The key file of the backup; it is copied to where the configuration has it, if nothing is there
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Restore although some sealed values do not open: `falconer repair` says what becomes of them
    #[arg(long)]
    damaged: bool,
    #[command(flatten)]
    local: LocalOptions,
    /// Print one JSON object: database, revision, epoch, schema, kept
    #[arg(long)]
    json: bool,
}

/// Restores it, or says why not and changes nothing.
pub async fn run(options: Options) -> Result<()> {
    let config = options.local.config()?;
    let storage = Storage::of(&config);
    if let Storage::Postgres { .. } = storage {
        bail!(
            "{} is restored by PostgreSQL's own means: stop every server, `pg_restore` into an empty database (or recover a base backup), run `falconer restored`, \
             and start the servers. A backup of a data directory gets there by `falconer restore` into another data directory, and `falconer migrate` from that",
            storage.shown()
        );
    }
    must_be_a_backup(&options.file)?;
    let there = storage.is_there().await?;
    if there && !options.replace {
        bail!("{} is there: `--replace` puts the backup in its place, and keeps it under another name", storage.shown());
    }
    let (keys, keys_text) = keys_of_the_backup(&config, options.keys.as_deref())?;
    let is_new_folder = !config.data_dir.exists();
    private_folder(&config.data_dir)?;
    let database = database_file(&config.data_dir);
    let outcome = match Locked::take(&database) {
        Ok(locked) => in_place(&options, &config, &locked, keys, keys_text, there).await,
        Err(error) => Err(storage.explain(error.into(), None)),
    };
    if outcome.is_err() && is_new_folder {
        let _ = std::fs::remove_file(database.with_added_extension("lock"));
        let _ = std::fs::remove_dir(&config.data_dir);
    }
    outcome
}

/// Cheap, and before anything is made.
fn must_be_a_backup(file: &Path) -> Result<()> {
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("the backup {} is missing: give the path of a file that `falconer backup` has made", file.display())
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            bail!("the backup {} may not be read by this user: run this as the server's user", file.display())
        }
        Err(error) => return Err(error).with_context(|| format!("can't read the backup {}", file.display())),
    };
    if !metadata.is_file() {
        bail!("{} is no file: a backup is one, which is read more than once", file.display());
    }
    if !is_a_database_of_ours(file)? {
        bail!("{} is no backup of Falconer", file.display());
    }
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        bail!(
            "{} is a database in use, or was copied while it was: what is in {} would be missing. `falconer backup` makes a whole copy",
            file.display(),
            Path::new(&log).display()
        );
    }
    Ok(())
}

/// The keys, and the text of the key file where it has to be written to its place.
fn keys_of_the_backup(config: &Config, given: Option<&Path>) -> Result<(KeyRing, Option<Zeroizing<String>>)> {
    let place = key_file(config);
    let is_there = place.try_exists().with_context(|| format!("can't look for {}", place.display()))?;
    match (given, is_there) {
        (None, true) => Ok((read_keys(&place)?, None)),
        (None, false) => bail!(
            "the key file {} is missing, and without the keys of its time a backup is worth nothing: put it there, or name it with --keys",
            place.display()
        ),
        (Some(given), _) if !is_file(given)? => {
            bail!("the key file {} is missing: --keys names the one that the server had when the backup was made", given.display())
        }
        (Some(given), false) => {
            let keys = read_keys(given)?;
            Ok((keys, Some(read_text(given)?)))
        }
        (Some(given), true) => {
            let same = read_text(given)?.trim() == read_text(&place)?.trim();
            if !same {
                bail!("the key file {} is there, and is another one than {}: move it away first", place.display(), given.display());
            }
            Ok((read_keys(&place)?, None))
        }
    }
}

fn read_text(file: &Path) -> Result<Zeroizing<String>> {
    text_file::read(file, "the key file").map(Zeroizing::new)
}

async fn in_place(
    options: &Options,
    config: &Config,
    locked: &Locked,
    keys: KeyRing,
    keys_text: Option<Zeroizing<String>>,
    there: bool,
) -> Result<()> {
    let mut progress = Progress::of("copying", "bytes", 0);
    let staged = locked.stage(&options.file, &mut |done, total| progress.reach(done, total));
    progress.end();
    let staged = staged.with_context(|| format!("can't copy the backup into {}", config.data_dir.display()))?;
    let checked = prepare(options, &staged, keys).await;
    let (found, history, revision) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            let _ = staged.remove();
            return Err(error.context("nothing was replaced"));
        }
    };
    if let Some(text) = keys_text {
        // Keys without their database keep a server from starting, and are what the next `restore` wants to find.
        write_private(&key_file(config), &text)?;
    }
    let database = database_file(&config.data_dir);
    let kept = database.with_added_extension(format!("before-{}", SystemClock.now_ms()));
    locked.put_in_place(&staged, &kept).inspect_err(|_| {
        let _ = staged.remove();
    })?;
    // Without the note the next start begins one history more, and that is all.
    if let Err(error) = noted_history::note(&config.data_dir, history, revision) {
        eprintln!("warning: {error:#}");
    }
    say(options, config, &found, history, revision, there.then_some(kept.as_path()))
}

/// Reads it all, and brings it to where a server can begin on it.
async fn prepare(options: &Options, staged: &Staged, keys: KeyRing) -> Result<(Inspected, History, Revision)> {
    let found = inspect(staged.path(), Some(&keys)).with_context(|| format!("{} can't be restored", options.file.display()))?;
    if let Some(first) = found.foreign.first() {
        bail!(
            "{} holds the {}, which Falconer has not made: it would change what statements of Falconer do. Whoever knows it as their own drops it in a copy of the \
             file first",
            options.file.display(),
            output::harmless(first)
        );
    }
    if found.unopened > 0 {
        let ids: Vec<&str> = found.key_ids.iter().map(String::as_str).collect();
        let have: Vec<&str> = keys.key_ids().collect();
        let first = found.damaged.first().map(|row| output::harmless(&row.to_string())).unwrap_or_default();
        if found.unopened == found.sealed || !options.damaged {
            let still = if found.unopened == found.sealed { "" } else { ", or restore it as it is with --damaged" };
            bail!(
                "{} of the {} sealed values do not open with this key file, the first is {first}. The backup was sealed with the keys {}, and the key file has {}: \
                 give the key file of its time{still}",
                found.unopened,
                found.sealed,
                ids.join(", "),
                have.join(", ")
            );
        }
        eprintln!("warning: {} of {} sealed values do not open, the first is {first}", found.unopened, found.sealed);
    }
    let random: Randomness = Arc::new(|bytes: &mut [u8]| SystemRandom.fill(bytes));
    let (history, revision) = staged.begin_history(keys, random).await?;
    Ok((found, history, revision))
}

fn say(options: &Options, config: &Config, found: &Inspected, history: History, revision: Revision, kept: Option<&Path>) -> Result<()> {
    let database = database_file(&config.data_dir);
    if options.json {
        return output::json(&json!({
            "database": database.display().to_string(), "revision": revision.0, "epoch": history.epoch.to_string(), "schema": found.schema,
            "kept": kept.map(|kept| kept.display().to_string()),
        }));
    }
    let file = shell_word(&options.file.display().to_string());
    output::line(&format!("{file} is in the place of {}, at revision {}", database.display(), revision.0))?;
    if let Some(kept) = kept {
        output::line(&format!("What was there is {}: remove it once it is not needed, it holds secrets too", kept.display()))?;
    }
    output::line("Next: go through what was revoked or disabled since the backup, for it is in force again; then start the server")
}
