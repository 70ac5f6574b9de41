//! A node: the data directory, its keys, the store, and the use cases on top of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use falconer_auth::{Auth, AuthSettings, Origin, Random, StaticClient};
use falconer_credentials::AccessToken;
use falconer_login::{Login, LoginSettings, RegisteredTarget};
use falconer_store::{KeyRing, Secret, Store};

use crate::config::Config;
use crate::edge::{SystemClock, SystemRandom};
use crate::storage::Storage;

/// What a certificate of the protocol can span.
const LONGEST_GRANT_MS: i64 = 31 * 24 * 3_600_000;

/// How the data directory is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// By the one server that may run on it.
    Alone,
    /// For a moment, beside a server that may be running.
    Beside,
}

/// The use cases over an opened data directory.
pub struct Node {
    /// Clients, roles, verification.
    pub auth: Arc<Auth>,
    /// People and grants.
    pub login: Arc<Login>,
    /// What both write to.
    pub store: Arc<dyn Store>,
}

/// Where the first root credentials are written.
pub fn root_credentials_file(data_dir: &Path) -> PathBuf {
    data_dir.join("root-credentials.json")
}

impl Node {
    /// Opens what `config` names, which must be there unless `create`.
    pub async fn open(config: &Config, origin: Origin, access: Access, create: bool) -> Result<Node> {
        let storage = Storage::of(config);
        if !create {
            storage.must_be_there().await?;
        } else if !storage.is_there().await? {
            // Settings first, so that a mistake in them leaves nothing behind.
            Node::rehearse(config, origin.clone()).await?;
        }
        let auth_settings = auth_settings(config, origin, access)?;
        let login_settings = login_settings(config)?;
        private_folder(&config.data_dir)?;
        let keys = keys(config, &storage).await?;
        let explain = |error| storage.explain(error, Some(&key_file(config)));
        let store = storage.open(access, keys).await.map_err(|error| explain(error.into()))?;
        Node::over(store, auth_settings, login_settings).await.map_err(explain)
    }

    /// The same over a store that ends with the process: says what is wrong with a configuration and touches nothing.
    pub async fn rehearse(config: &Config, origin: Origin) -> Result<()> {
        if let Some(file) = existing_key_file(config, &Storage::of(config)).await? {
            read_keys(&file)?;
        }
        Node::over(Storage::rehearsal()?, auth_settings(config, origin, Access::Alone)?, login_settings(config)?).await.map(drop)
    }

    async fn over(store: Arc<dyn Store>, auth: AuthSettings, login: LoginSettings) -> Result<Node> {
        let auth = Auth::open(store.clone(), auth, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
        let auth = Arc::new(auth);
        let login = Login::open(auth.clone(), store.clone(), login, Arc::new(SystemClock), Arc::new(SystemRandom))?;
        Ok(Node { auth, login: Arc::new(login), store })
    }
}

/// Where the server that ran here last was reached, for links that other commands print.
fn root_url_file(data_dir: &Path) -> PathBuf {
    data_dir.join("root-url")
}

/// Notes it.
pub fn note_root_url(data_dir: &Path, root_url: &str) -> Result<()> {
    let file = root_url_file(data_dir);
    std::fs::write(&file, format!("{root_url}\n")).with_context(|| format!("can't write {}", file.display()))
}

/// What [`note_root_url`] noted last.
pub fn noted_root_url(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root_url_file(data_dir)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn auth_settings(config: &Config, origin: Origin, access: Access) -> Result<AuthSettings> {
    let mut settings = AuthSettings::new(origin.clone());
    settings.hawk_origins = hawk_origins(config, &origin)?;
    settings.cache_mib = usize::try_from(config.cache_mib)?;
    settings.identity_max_age_ms = duration_ms("identity.max_age", &config.identity.max_age)?;
    settings.leave_static_clients = access == Access::Beside;
    settings.static_clients = config.static_client.iter().map(static_client).collect::<Result<_>>()?;
    settings.websocktunnel_secret = config.websocktunnel_secret.as_ref().map(|secret| Secret::new(secret.expose()));
    settings.on_fatal = Arc::new(end_at_once);
    Ok(settings)
}

/// Going on over a store that may have lost data would be worse than ending: a start reads what is really there.
fn end_at_once(reason: &str) {
    tracing::error!(reason, "the store failed for good: ending at once");
    std::process::exit(70);
}

/// The configured origins; on loopback also the other names of this machine, because people write both.
fn hawk_origins(config: &Config, origin: &Origin) -> Result<Vec<Origin>> {
    let mut origins = Vec::new();
    for text in &config.hawk_origins {
        origins.push(Origin::parse(text).with_context(|| format!("hawk_origins: `{text}` is no origin such as https://auth.example.com"))?);
    }
    if config.root_url.is_none() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            origins.push(Origin { host: host.to_owned(), ..origin.clone() });
        }
    }
    Ok(origins)
}

fn static_client(configured: &crate::config::StaticClient) -> Result<StaticClient> {
    let token = match (&configured.access_token, &configured.access_token_file) {
        (Some(token), None) => token.clone(),
        (None, Some(file)) => std::fs::read_to_string(file)
            .with_context(|| format!("static client {}: can't read {}", configured.client_id, file.display()))?
            .trim()
            .to_owned(),
        _ => bail!("static client {}: give either access_token or access_token_file", configured.client_id),
    };
    Ok(StaticClient {
        client_id: configured.client_id.clone(),
        access_token: AccessToken::new(token),
        scopes: configured.scopes.clone(),
        description: configured.description.clone(),
    })
}

/// A time expression of the configuration, in milliseconds.
pub fn duration_ms(name: &str, text: &str) -> Result<i64> {
    let ms = falconer_wire::time_expression::parse_ms(text).with_context(|| format!("{name}: write something like `3 days`"))?;
    if ms <= 0 {
        bail!("{name}: `{text}` must be longer than nothing");
    }
    Ok(ms)
}

fn login_settings(config: &Config) -> Result<LoginSettings> {
    let grant_max_ttl_ms = duration_ms("grant.max_ttl", &config.grant.max_ttl)?;
    if grant_max_ttl_ms > LONGEST_GRANT_MS {
        bail!("grant.max_ttl: `{}` is longer than the 31 days that a certificate can span", config.grant.max_ttl);
    }
    let target = |target: &crate::config::RegisteredTarget| RegisteredTarget { name: target.name.clone(), targets: target.targets.clone() };
    Ok(LoginSettings {
        grant_max_ttl_ms,
        registered_only: config.grant.registered_only,
        registered_targets: config.target.iter().map(target).collect(),
        administrator_scopes: config.identity.setup_scopes.clone(),
        on_fatal: Arc::new(end_at_once),
        ..LoginSettings::default()
    })
}

/// Makes a folder, with its parents, that only its owner may enter.
pub fn private_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("can't make the data directory {}", folder.display()))
}

/// Writes a file that only its owner may read, and that must not exist yet.
pub fn write_private(file: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file).with_context(|| format!("can't make {}", file.display()))?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all().with_context(|| format!("can't write {}", file.display()))
}

fn key_file(config: &Config) -> PathBuf {
    config.key_file.clone().unwrap_or_else(|| config.data_dir.join("falconer.keys"))
}

/// The key file where there is one. Keys made anew would open nothing, so a database without its keys is an error.
async fn existing_key_file(config: &Config, storage: &Storage<'_>) -> Result<Option<PathBuf>> {
    let file = key_file(config);
    if file.exists() {
        return Ok(Some(file));
    }
    if storage.is_there().await? {
        bail!(
            "the key file {} is missing, and without it the secrets in {} can't be opened; restore it from your backup, or set key_file to where it is",
            file.display(),
            storage.shown()
        );
    }
    Ok(None)
}

fn read_keys(file: &Path) -> Result<KeyRing> {
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read the key file {}", file.display()))?;
    KeyRing::parse(&text).with_context(|| format!("{} is no key file; restore it from your backup", file.display()))
}

/// The keys that seal secrets at rest. They are made only together with the database.
async fn keys(config: &Config, storage: &Storage<'_>) -> Result<KeyRing> {
    if let Some(file) = existing_key_file(config, storage).await? {
        return read_keys(&file);
    }
    let mut key = [0_u8; 32];
    SystemRandom.fill(&mut key);
    let keys = KeyRing::from_bytes("k1", key)?;
    write_private(&key_file(config), &keys.to_key_file())?;
    Ok(keys)
}
