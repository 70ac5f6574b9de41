//! `falconer keys`: the keys that seal secrets at rest, and the issuer of grants.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
/// How long `rotate` waits for servers. Those that read this key file have a new key within a second, also on a busy machine.
const WAITED_FOR: Duration = Duration::from_secs(15);
/// How often it is looked whether all servers have a key.
const LOOKED_AGAIN: Duration = Duration::from_millis(100);

/// `falconer keys`
#[derive(clap::Subcommand)]
pub enum Keys {
    /// The ids of the keys in the key file; the current one seals, all of them open
    List(PrintOptions),
    /// Add a new key, which opens; `falconer keys use` lets it seal, once every server has it
    Add(PrintOptions),
    /// Let a key of the file seal from now on; the others still open. Refused while a running server does not have it
    Use {
        /// The id of the key
        key_id: String,
        #[command(flatten)]
        local: PrintOptions,
    },
    /// Both at once, where all servers read this key file: add a key, wait until they have it, and let it seal
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
    /// Let another key sign ID tokens, and tokens for services that verify by themselves; it is published at once and signs a minute later, and the one before is published for another day
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
        Keys::Add(options) => add(&options).await,
        Keys::Use { key_id, local } => let_seal(&key_id, &local).await,
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

async fn add(options: &PrintOptions) -> Result<()> {
    let config = options.local.config()?;
    // Opened first: a key is added only where the others fit the database.
    drop(open_undamaged(options).await?);
    let key_id = add_new(&config)?;
    let text = format!("{key_id} opens from now on. Back up the key file, bring it to every server, then run `falconer keys use {key_id}`");
    said(options, json!({ "keyId": key_id }), &text)
}

async fn rotate(options: &PrintOptions) -> Result<()> {
    let config = options.local.config()?;
    let node = open_undamaged(options).await?;
    let key_id = add_new(&config)?;
    let began = Instant::now();
    while without(&node, &config, &key_id).await? > 0 {
        if began.elapsed() > WAITED_FOR {
            bail!(
                "{key_id} is in the key file and opens, but seals not yet, because a server does not have it: bring the key file to every server, then run \
                 `falconer keys use {key_id}`"
            );
        }
        tokio::time::sleep(LOOKED_AGAIN).await;
    }
    seal_with(&config, &key_id)?;
    said(options, json!({ "keyId": key_id }), &seals_now(&key_id))
}

async fn let_seal(key_id: &str, options: &PrintOptions) -> Result<()> {
    let config = options.local.config()?;
    let keys = with_key(&config, key_id)?;
    if let (Some(number), Some(current)) = (number_of(key_id), number_of(keys.current_key_id()))
        && number < current
    {
        bail!("{key_id} was made before {}, which seals: `falconer keys add` makes a newer one", keys.current_key_id());
    }
    let node = open_undamaged(options).await?;
    match without(&node, &config, key_id).await? {
        0 => {}
        1 => bail!("a running server does not have the key {key_id}: bring the key file to it, and run this again some seconds later"),
        many => {
            bail!("{many} running servers do not have the key {key_id}: bring the key file to them, and run this again some seconds later")
        }
    }
    seal_with(&config, key_id)?;
    said(options, json!({ "keyId": key_id }), &seals_now(key_id))
}

fn seals_now(key_id: &str) -> String {
    format!("{key_id} seals from now on, also in a running server. Back up the key file, then run `falconer keys reseal`")
}

/// Adds a key that only opens. Its number was never given: backups say of what they hold by which key it was sealed.
fn add_new(config: &Config) -> Result<String> {
    let mut key = [0_u8; 32];
    SystemRandom.fill(&mut key);
    change(config, |keys| {
        let highest = keys.key_ids().filter_map(number_of).max().unwrap_or_default();
        let key_id = format!("k{}", highest.saturating_add(1));
        keys.add(&key_id, key)?;
        Ok(key_id)
    })
}

/// The number of a key that was made here. One that seals is never older than another one that did, so that the highest number stays in the file.
fn number_of(key_id: &str) -> Option<u64> {
    key_id.strip_prefix('k')?.parse().ok()
}

fn seal_with(config: &Config, key_id: &str) -> Result<()> {
    change(config, |keys| {
        keys.make_current(key_id);
        Ok(())
    })
}

/// How many servers do not say that they have this key of the file.
async fn without(node: &Node, config: &Config, key_id: &str) -> Result<usize> {
    let print = print_of(&read_keys(&key_file(config))?, key_id);
    Ok(node.store.keys_of_nodes().await?.iter().filter(|keys| !keys.contains(&print)).count())
}

fn print_of(keys: &KeyRing, key_id: &str) -> String {
    keys.prints().into_iter().find(|print| print.split(' ').next() == Some(key_id)).unwrap_or_default()
}

/// The keys of the file. Errors: this one is not there.
fn with_key(config: &Config, key_id: &str) -> Result<KeyRing> {
    let keys = read_keys(&key_file(config))?;
    if keys.key_ids().any(|known| known == key_id) {
        return Ok(keys);
    }
    Err(output::WrongUse(format!("the key file has no key {key_id}: `falconer keys list` names those that it has")).into())
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
    let keys = with_key(&config, key_id)?;
    if keys.current_key_id() == key_id {
        bail!("{key_id} is the key that seals: `falconer keys rotate` makes another one");
    }
    let changed = std::fs::metadata(key_file(&config))?.modified()?.duration_since(std::time::UNIX_EPOCH)?;
    let now = Duration::from_millis(u64::try_from(SystemClock.now_ms()).unwrap_or_default());
    if now.saturating_sub(changed) < NOTICED_BY_SERVERS {
        bail!("the key file has just changed, and a running server may not know it yet: run this again in a few seconds");
    }
    let node = open_undamaged(options).await?;
    let current = print_of(&keys, keys.current_key_id());
    if node.store.keys_of_nodes().await?.iter().any(|keys| keys.last() != Some(&current)) {
        bail!(
            "a running server does not seal with {} yet: bring the key file to it, and run this again some seconds later",
            keys.current_key_id()
        );
    }
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
