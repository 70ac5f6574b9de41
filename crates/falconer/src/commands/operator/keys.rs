//! `falconer keys`: the keys that seal secrets at rest, and the issuer of grants.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use falconer_auth::{Clock as _, Random as _};
use falconer_store::{KeyRing, ResealFrom};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;
use zeroize::Zeroizing;

use super::{PrintOptions, repair};
use crate::config::Config;
use crate::node::{Node, change_private, key_file, read_keys};
use crate::output;
use crate::system::{SystemClock, SystemRandom};

/// Values that are looked at, and sealed again, in one transaction, so that a running server gets its turn in between.
const BATCH: u32 = 1000;
/// A running server looks at the key file twice a second. Until it has, it may still seal with the key of before.
const NOTICED_BY_SERVERS: Duration = Duration::from_secs(5);

/// `falconer keys`
#[derive(clap::Subcommand)]
pub enum Keys {
    /// The ids of the keys in the key file; the current one seals, all of them open
    List(PrintOptions),
    /// Add a new key, which seals from now on; the others still open. A running server takes it over within a second
    Rotate(PrintOptions),
    /// Seal everything again with the current key, in small steps; can be stopped and run again
    Reseal(PrintOptions),
    /// Remove a key that nothing is sealed with any more
    Remove {
        /// The id of the key
        key_id: String,
        #[command(flatten)]
        local: PrintOptions,
    },
    /// Let another key sign ID tokens; it is published at once and signs a minute later, and the one before is published for another day
    RotateOpenid {
        /// A private key of RSA for RS256, in PEM (PKCS #8, 2048 to 4096 bits); `-` reads standard input. Without it the one of before stays, if there is one
        #[arg(long, value_name = "FILE")]
        rsa: Option<PathBuf>,
        #[command(flatten)]
        local: PrintOptions,
    },
    /// Let another issuer sign new grants; what the one before has signed stays valid
    RotateIssuer(PrintOptions),
}

/// Runs one of them.
pub async fn run(command: Keys) -> Result<()> {
    match command {
        Keys::List(options) => list(&options),
        Keys::Rotate(options) => rotate(&options).await,
        Keys::Reseal(options) => reseal(&options).await,
        Keys::Remove { key_id, local } => remove(&key_id, &local).await,
        Keys::RotateOpenid { rsa, local } => rotate_openid(rsa.as_deref(), &local).await,
        Keys::RotateIssuer(options) => {
            let (node, _) = options.local.open().await?;
            node.auth.rotate_issuer().await?;
            let directory = node.auth.directory();
            let issuer = directory.current_issuer_name().unwrap_or_default();
            said(&options, json!({ "issuer": issuer }), &format!("{issuer} signs new grants"))
        }
    }
}

async fn rotate_openid(rsa: Option<&Path>, options: &PrintOptions) -> Result<()> {
    let rsa = match rsa {
        None => None,
        Some(file) => {
            let pem = if file == Path::new("-") { read_all(std::io::stdin().lock()) } else { std::fs::File::open(file).and_then(read_all) };
            let pem = Zeroizing::new(pem.with_context(|| format!("{} cannot be read", file.display()))?);
            let der = PrivatePkcs8KeyDer::from_pem_slice(&pem);
            Some(der.map_err(|_| anyhow!("{} holds no key in PEM that begins with -----BEGIN PRIVATE KEY-----", file.display()))?)
        }
    };
    let (node, _) = options.local.open().await?;
    let name = node.grants.rotate_signing_key(rsa.as_ref().map(PrivatePkcs8KeyDer::secret_pkcs8_der)).await?;
    let name = name.context(
        "the key is no RSA key of 2048 to 4096 bits; make one with openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072",
    )?;
    said(options, json!({ "key": name }), &format!("{name} signs ID tokens in a minute"))
}

/// A file of a key, of which nobody needs more than this.
fn read_all(file: impl Read) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(64 * 1024).read_to_end(&mut text)?;
    Ok(text)
}

fn list(options: &PrintOptions) -> Result<()> {
    let keys = read_keys(&key_file(&options.local.config()?))?;
    let is_current = |key_id: &str| key_id == keys.current_key_id();
    if options.json {
        let shown: Vec<_> = keys.key_ids().map(|key_id| json!({ "keyId": key_id, "current": is_current(key_id) })).collect();
        return output::json(&shown);
    }
    let use_of = |key_id| if is_current(key_id) { "seals and opens" } else { "opens" };
    let rows: Vec<_> = keys.key_ids().map(|key_id| vec![key_id.to_owned(), use_of(key_id).to_owned()]).collect();
    output::table(&["KEY", "USE"], &rows)
}

async fn rotate(options: &PrintOptions) -> Result<()> {
    let config = options.local.config()?;
    // Opened first: a key is added only where the others fit the database.
    drop(open_undamaged(options).await?);
    let mut key = [0_u8; 32];
    SystemRandom.fill(&mut key);
    let key_id = change(&config, |keys| {
        let number = (1_u32..).find(|number| !keys.key_ids().any(|key_id| key_id == format!("k{number}")));
        let key_id = format!("k{}", number.unwrap_or_default());
        keys.push(&key_id, key)?;
        Ok(key_id)
    })?;
    let text = format!("{key_id} seals from now on, also in a running server. Back up the key file, then run `falconer keys reseal`");
    said(options, json!({ "keyId": key_id }), &text)
}

async fn reseal(options: &PrintOptions) -> Result<()> {
    let node = open_undamaged(options).await?;
    let mut resealed: u64 = 0;
    // A server that runs beside this may have sealed something with the key of before meanwhile, so the last round is one that finds nothing.
    loop {
        let before = resealed;
        let mut from = Some(ResealFrom::default());
        while let Some(place) = from {
            let part = node.store.reseal(&place, BATCH).await?;
            if part.count > 0 {
                resealed += u64::from(part.count);
                eprintln!("sealed {resealed} values again");
            }
            from = part.next;
        }
        if resealed == before {
            break;
        }
    }
    let current = read_keys(&key_file(&options.local.config()?))?.current_key_id().to_owned();
    let text = format!("{resealed} values were sealed again; all are sealed with {current}");
    said(options, json!({ "resealed": resealed, "keyId": current }), &text)
}

async fn remove(key_id: &str, options: &PrintOptions) -> Result<()> {
    let config = options.local.config()?;
    let file = key_file(&config);
    let keys = read_keys(&file)?;
    if !keys.key_ids().any(|known| known == key_id) {
        return Err(output::WrongUse(format!("the key file has no key {key_id}: `falconer keys list` names those that it has")).into());
    }
    if keys.current_key_id() == key_id {
        bail!("{key_id} is the key that seals: `falconer keys rotate` makes another one");
    }
    let changed = std::fs::metadata(&file)?.modified()?.duration_since(std::time::UNIX_EPOCH)?;
    let now = Duration::from_millis(u64::try_from(SystemClock.now_ms()).unwrap_or_default());
    if now.saturating_sub(changed) < NOTICED_BY_SERVERS {
        bail!("the key file has just changed, and a running server may not know it yet: run this again in a few seconds");
    }
    let node = open_undamaged(options).await?;
    if node.store.needs_older_keys().await? {
        bail!("there are values that older keys have sealed: run `falconer keys reseal` first");
    }
    change(&config, |keys| {
        keys.remove(key_id);
        Ok(())
    })?;
    said(options, json!({ "removed": key_id }), &format!("{key_id} was removed; keep it with backups of the database that need it"))
}

/// A node without damaged records: what does not open can't be sealed again.
async fn open_undamaged(options: &PrintOptions) -> Result<Node> {
    let (node, _) = options.local.open().await?;
    match repair::find(&node).await?.as_slice() {
        [] => Ok(node),
        [first, ..] => bail!("damaged records come first: {first}. See `falconer repair --dry-run`"),
    }
}

/// Changes the keys that the file has now: another command may have changed them since this one began.
fn change<T>(config: &Config, change: impl FnOnce(&mut KeyRing) -> Result<T>) -> Result<T> {
    let file = key_file(config);
    let mut changed = None;
    change_private(&file, || {
        let mut keys = read_keys(&file)?;
        changed = Some(change(&mut keys)?);
        Ok(keys.to_key_file())
    })?;
    changed.context("the key file was not changed")
}

fn said(options: &PrintOptions, value: serde_json::Value, text: &str) -> Result<()> {
    if options.json { output::json(&value) } else { output::line(text) }
}
