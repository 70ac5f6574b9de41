//! How much memory clients take in a node, and how long it takes to load them: `falconer-bench clients`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use falconer_auth::{Auth, AuthSettings, Origin};
use falconer_credentials::new_access_token;
use falconer_store::{ClientRecord, KeyRing, Secret, Store};
use falconer_store_sqlite::SqliteStore;

use crate::data::data_set::{SEED, synthetic_clients};
use crate::in_process::{Counting, Still, client, step};
use crate::subjects::process::resident_kib;

/// Clients that are written at a time.
const PART: usize = 10_000;
/// Roles that they name; no role is there, so that clients are all that is measured.
const ROLES: usize = 10_000;

/// The options of `falconer-bench clients`.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "falconer-bench clients", about = "How much memory clients take in a node")]
pub struct Options {
    /// How many
    #[arg(long, default_value_t = 100_000)]
    pub clients: usize,
    /// A file with clients, to be opened and measured by a process of its own
    #[arg(long, hide = true)]
    pub opened: Option<PathBuf>,
}

/// Writes the clients to a file, and has another process open it, so that nothing that writing left behind is counted.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(file) = &options.opened {
        return runtime.block_on(measure(file, options.clients));
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("clients.sqlite");
    runtime.block_on(write(&file, options.clients))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["clients", "--clients", &options.clients.to_string(), "--opened"]).arg(&file);
    if !command.status()?.success() {
        bail!("{command:?} failed");
    }
    Ok(())
}

fn store(file: &Path) -> Result<SqliteStore> {
    Ok(SqliteStore::open(
        file,
        KeyRing::from_bytes("k1", [7; 32])?,
        Arc::new(|bytes: &mut [u8]| bytes.iter_mut().for_each(|byte| *byte = fastrand::u8(..))),
    )?)
}

async fn write(file: &Path, count: usize) -> Result<()> {
    let store = store(file)?;
    let mut random = fastrand::Rng::with_seed(SEED);
    for first in (0..count).step_by(PART) {
        let clients = synthetic_clients(PART.min(count - first), first, ROLES, &mut random);
        // With tokens as a server makes them.
        let mut token = || Secret::new(new_access_token(std::array::from_fn(|_| random.u8(..))).expose());
        let records: Vec<ClientRecord> =
            clients.into_iter().map(|new| ClientRecord { access_token: token(), ..client(&new.client_id, new.scopes) }).collect();
        store.write_batch(&step(store.revision().await?.0), &[], &records).await?;
    }
    Ok(())
}

async fn measure(file: &Path, count: usize) -> Result<()> {
    let store: Arc<dyn Store> = Arc::new(store(file)?);
    let settings = AuthSettings::new(Origin::parse("https://auth.example.com").context("no origin")?);
    let resident = || resident_kib(std::process::id());
    let (before, began) = (resident()?, Instant::now());
    let auth = Auth::open(store, settings, Arc::new(Still), Arc::new(Counting::default())).await?;
    let (took, after) = (began.elapsed(), resident()?);
    let loaded = auth.directory().client_count();
    if loaded != count {
        bail!("{loaded} clients instead of {count}");
    }
    let grown = after.saturating_sub(before);
    let line = format!(
        "{count} clients: {:.1} MB more than before, {:.0} bytes each; loaded in {:.2} s\n",
        grown as f64 / 1024.0,
        grown as f64 * 1024.0 / count as f64,
        took.as_secs_f64()
    );
    Ok(std::io::stdout().write_all(line.as_bytes())?)
}
