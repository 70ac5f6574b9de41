//! `falconer backup`: a copy of the database as it was at one moment, beside a server that goes on writing.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use falconer_store_sqlite::copies::{Inspected, back_up, inspect};
use serde_json::json;

use crate::commands::operator::LocalOptions;
use crate::config::Config;
use crate::node::{Storage, database_file, key_file, read_keys};
use crate::output::{self, shell_word};
use crate::progress::Progress;

/// What `falconer backup --help` ends with.
const AFTER_HELP: &str = "\
A running server goes on meanwhile. The copy is checked before it gets its name: each page is read, and each sealed value is opened with the key file. \
The keys are not in it: keep a copy of the key file too, in another place. `falconer restore FILE` puts it back.\n\n\
Where the records are in PostgreSQL, its own means make the backup: pg_dump, or pg_basebackup with the archived write-ahead log.";

/// `falconer backup`
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The file to make; what is there is never overwritten
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    local: LocalOptions,
    /// Print one JSON object: file, bytes, revision, epoch, schema, keyFile, keyIds, sealed, unopened
    #[arg(long)]
    json: bool,
}

/// Makes it, and says what it needs.
pub async fn run(options: Options) -> Result<()> {
    let config = options.local.config()?;
    let storage = Storage::of(&config);
    if let Storage::Postgres { .. } = storage {
        bail!(of_postgres(&storage));
    }
    storage.must_be_there().await?;
    let partial = PartialCopy::new(&options.file)?;
    let found = copy(&config, &partial).inspect_err(|_| partial.remove_files())?;
    let bytes = std::fs::metadata(&partial.part)?.len();
    partial.give_name(&options.file)?;
    say(&config, &options, &found, bytes)
}

/// What an operator does instead.
fn of_postgres(storage: &Storage<'_>) -> String {
    format!(
        "{} is backed up by PostgreSQL's own means, beside running servers: `pg_dump --format=custom --file=FILE DATABASE` for a copy of one moment, or pg_basebackup \
         and an archive of its write-ahead log where no change may be lost; and the key file apart from it. To restore: stop every server, `pg_restore` into an empty \
         database (or recover the base backup), run `falconer restored`, and start the servers",
        storage.shown()
    )
}

fn copy(config: &Config, partial: &PartialCopy) -> Result<Inspected> {
    let keys = key_file(config);
    let keys = match read_keys(&keys) {
        Ok(keys) => Some(keys),
        Err(error) => {
            eprintln!("warning: the sealed values of the copy are not checked: {error:#}");
            None
        }
    };
    let mut progress = Progress::of("copying", "pages", 0);
    let copied = back_up(&database_file(&config.data_dir), &partial.part, &mut |done, total| progress.reach(done, total));
    progress.end();
    copied.context("can't copy the database")?;
    partial.lock_file.sync_all().with_context(|| format!("can't write {}", partial.part.display()))?;
    Ok(inspect(&partial.part, keys.as_ref())?)
}

fn say(config: &Config, options: &Options, found: &Inspected, bytes: u64) -> Result<()> {
    let keys = key_file(config);
    for row in &found.damaged {
        eprintln!("warning: {}", output::harmless(&row.to_string()));
    }
    if found.unopened > 0 {
        eprintln!(
            "warning: {} of {} sealed values do not open, here as in the database: see `falconer repair --dry-run`",
            found.unopened, found.sealed
        );
    }
    if options.json {
        return output::json(&json!({
            "file": options.file.display().to_string(), "bytes": bytes, "revision": found.revision.0,
            "epoch": found.history.map(|history| history.epoch.to_string()), "schema": found.schema,
            "keyFile": keys.display().to_string(), "keyIds": found.key_ids, "sealed": found.sealed, "unopened": found.unopened,
        }));
    }
    let ids: Vec<&str> = found.key_ids.iter().map(String::as_str).collect();
    output::line(&format!("{}: {bytes} bytes, revision {}", shell_word(&options.file.display().to_string()), found.revision.0))?;
    output::line(&format!(
        "It is worth nothing without the key file {} (keys {}): keep a copy of that too, in another place",
        keys.display(),
        ids.join(", ")
    ))
}

/// A copy that has no name of its own yet.
struct PartialCopy {
    part: PathBuf,
    /// Holds an advisory lock as long as this lives. INVARIANT: it is closed after SQLite has closed the file, for closing it lets go of SQLite's locks.
    lock_file: File,
}

impl PartialCopy {
    /// Beside the file that is to be made. What a killed command left there is written over.
    fn new(file: &Path) -> Result<PartialCopy> {
        must_be_free(file)?;
        let part = file.with_added_extension("part");
        let part_file = open_part(&part)?;
        if part_file.try_lock().is_err() {
            bail!("another command is making {}", file.display());
        }
        // The command that held it may have given it its name by now, and then it is that one's backup.
        if !is_left_over(&part, Some(&part_file)) {
            bail!(not_left_over(&part));
        }
        let emptied = part_file
            .metadata()
            .and_then(|metadata| part_file.set_permissions(private(metadata.permissions())))
            .and_then(|()| part_file.set_len(0));
        emptied.with_context(|| format!("can't write {}", part.display()))?;
        Ok(PartialCopy { part, lock_file: part_file })
    }

    /// Gives the copy its name, unless somebody has taken that meanwhile; it has it after a power cut too.
    fn give_name(&self, file: &Path) -> Result<()> {
        let named = match std::fs::hard_link(&self.part, file) {
            Ok(()) => std::fs::remove_file(&self.part),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            // Not every file system has links.
            Err(_) => must_be_free(file).map_err(std::io::Error::other).and_then(|()| std::fs::rename(&self.part, file)),
        };
        if named.is_err() {
            self.remove_files();
        }
        named.with_context(|| format!("can't make {}", file.display()))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("can't sync {}", folder.display()))
    }

    fn remove_files(&self) {
        for end in ["-journal", "-wal", "-shm", ""] {
            let mut name = self.part.as_os_str().to_owned();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
    }
}

#[cfg(unix)]
fn private(mut permissions: std::fs::Permissions) -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    permissions
}

#[cfg(not(unix))]
fn private(permissions: std::fs::Permissions) -> std::fs::Permissions {
    permissions
}

/// A new file, or what a killed command of this user has left. Others may write to the folder: whatever else has the name, such as a link to something that is
/// of worth, is left alone.
fn open_part(part: &Path) -> Result<File> {
    let failed = || format!("can't make {}", part.display());
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.clone().create_new(true).open(part) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        created => return created.with_context(failed),
    }
    if !is_left_over(part, None) {
        bail!(not_left_over(part));
    }
    options.open(part).with_context(failed)
}

fn not_left_over(part: &Path) -> String {
    format!("{} is nothing that a backup of this user has left: remove it, or give another name", part.display())
}

/// Whether a file of this user has the name, and no other name besides; and whether it is the one that is held.
#[cfg(unix)]
fn is_left_over(part: &Path, lock_file: Option<&File>) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let Ok(named) = std::fs::symlink_metadata(part) else { return false };
    let is_own = named.is_file() && named.nlink() == 1 && named.uid() == rustix::process::geteuid().as_raw();
    is_own && lock_file.is_none_or(|lock_file| lock_file.metadata().is_ok_and(|lock_file| identity(lock_file) == identity(named)))
}

/// Elsewhere what is open keeps its name.
#[cfg(not(unix))]
fn is_left_over(part: &Path, _: Option<&File>) -> bool {
    std::fs::symlink_metadata(part).is_ok_and(|named| named.is_file())
}

fn must_be_free(file: &Path) -> Result<()> {
    match std::fs::symlink_metadata(file) {
        Ok(metadata) if metadata.is_dir() => bail!("{} is a folder: name the file to make in it", file.display()),
        Ok(_) => bail!("{} is there already, and a backup overwrites nothing: give another name", file.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("can't look for {}", file.display())),
    }
}
