//! Opens a node: the data directory, its keys, the store, and the use cases on top of it.

use std::sync::Arc;

use anyhow::Result;
use falconer_auth::{Auth, AuthSettings, Origin};
use falconer_grants::{GrantSettings, Grants};
use falconer_login::{Login, LoginSettings};
use falconer_store::Store;

use super::data_dir::{must_be_new, private_folder};
use super::keys::{existing_key_file, key_file, keys, read_keys};
use super::noted_history::begin_another_if_restored;
use super::settings::{auth_settings, grant_settings, login_settings};
use super::storage::Storage;
use crate::config::Config;
use crate::system::{SystemClock, SystemRandom};

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
    /// Who somebody is.
    pub login: Arc<Login>,
    /// What people let others do.
    pub grants: Arc<Grants>,
    /// What all of them write to.
    pub store: Arc<dyn Store>,
}

impl Node {
    /// Opens what `config` names, which must be there unless `create`.
    pub async fn open(config: &Config, origin: Origin, access: Access, create: bool) -> Result<Node> {
        let storage = Storage::of(config);
        if !storage.is_there().await? {
            must_be_new(config, &storage)?;
            if !create {
                storage.must_be_there().await?;
            }
            // Settings first, so that a mistake in them leaves nothing behind.
            Node::rehearse(config, origin.clone()).await?;
        }
        let mut login_settings = login_settings(config, &origin.to_string())?;
        let (auth_settings, grant_settings) = (auth_settings(config, origin, access)?, grant_settings(config)?);
        private_folder(&config.data_dir)?;
        let new_keys = existing_key_file(config, &storage).await?.is_none();
        let keys = keys(config, &storage).await?;
        login_settings.form_key = keys.derive("forms").map(|key| *key);
        let explain = |error| storage.explain(error, Some(&key_file(config)));
        let store = match storage.open(access, keys).await {
            Ok(store) => store,
            Err(error) => {
                // Keys without a database would stop the next start.
                if new_keys && matches!(storage.is_there().await, Ok(false)) {
                    let _ = std::fs::remove_file(key_file(config));
                }
                return Err(explain(error.into()));
            }
        };
        let file = key_file(config);
        store.read_keys_with(Arc::new(move || read_keys(&file).map_err(|error| format!("{error:#}"))));
        if access == Access::Alone {
            begin_another_if_restored(&config.data_dir, store.as_ref()).await.map_err(|error| explain(error.into()))?;
        }
        Node::over(store, auth_settings, login_settings, grant_settings).await.map_err(explain)
    }

    /// The same over a store that ends with the process: says what is wrong with a configuration and touches nothing.
    pub async fn rehearse(config: &Config, origin: Origin) -> Result<()> {
        if let Some(file) = existing_key_file(config, &Storage::of(config)).await? {
            read_keys(&file)?;
        }
        let login = login_settings(config, &origin.to_string())?;
        let auth = auth_settings(config, origin, Access::Alone)?;
        Node::over(Storage::rehearsal()?, auth, login, grant_settings(config)?).await.map(drop)
    }

    async fn over(store: Arc<dyn Store>, auth: AuthSettings, login: LoginSettings, grants: GrantSettings) -> Result<Node> {
        let auth = Auth::open(store.clone(), auth, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
        let auth = Arc::new(auth);
        let login = Login::open(auth.clone(), store.clone(), login, Arc::new(SystemClock), Arc::new(SystemRandom))?;
        let login = Arc::new(login);
        let grants = Arc::new(Grants::open(auth.clone(), login.clone(), store.clone(), grants)?);
        Ok(Node { auth, login, grants, store })
    }
}
