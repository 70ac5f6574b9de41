//! Opens a node: the data directory, its keys, the store, and the use cases on top of it.

use std::sync::Arc;

use anyhow::Result;
use falconer_auth::{Auth, AuthSettings, Origin};
use falconer_grants::{GrantSettings, Grants};
use falconer_login::{FormKeys, Login, LoginSettings};
use falconer_store::Store;

use super::data_dir::{must_be_new, private_folder};
use super::first_start::FirstStart;
use super::keys::{existing_key_file, key_file, keys, read_keys};
use super::noted_history::begin_another_if_restored;
use super::settings::{auth_settings, grant_settings, login_settings};
use super::storage::Storage;
use crate::config::Config;
use crate::system::{SystemClock, SystemRandom};
use crate::traces::TracedStore;

/// What the keys of forms are derived for.
const FORMS: &str = "forms";

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
        let mut first_start = None;
        if !storage.is_there().await? {
            if !create {
                must_be_new(config, &storage)?;
                storage.must_be_there().await?;
            }
            // Settings first, so that a mistake in them leaves nothing behind.
            Node::open_in_memory(config, origin.clone()).await?;
            private_folder(&config.data_dir)?;
            let mut begun = FirstStart::begin(&config.data_dir).await?;
            // Another process may have made all of it meanwhile.
            if storage.is_there().await? {
                begun.end();
            } else {
                must_be_new(config, &storage)?;
                begun.note()?;
                first_start = Some(begun);
            }
        }
        let mut login_settings = login_settings(config, &origin.to_string())?;
        let (auth_settings, grant_settings) = (auth_settings(config, origin, access)?, grant_settings(config)?);
        private_folder(&config.data_dir)?;
        let keys = keys(config, &storage).await?;
        let form_keys = FormKeys::new(keys.derive_each(FORMS));
        login_settings.form_keys = Some(form_keys.clone());
        let explain = |error| storage.explain(error, Some(&key_file(config)));
        // Where it fails, a new key file stays: another server that shares it may have read it, and seals with these keys by now.
        let store = storage.open(access, keys).await.map_err(|error| explain(error.into()))?;
        if let Some(first_start) = first_start {
            first_start.end();
        }
        let file = key_file(config);
        store.read_keys_with(Arc::new(move || {
            let keys = read_keys(&file).map_err(|error| format!("{error:#}"))?;
            form_keys.replace(keys.derive_each(FORMS));
            Ok(keys)
        }));
        if access == Access::Alone {
            begin_another_if_restored(&config.data_dir, store.as_ref()).await.map_err(|error| explain(error.into()))?;
        }
        let store = if config.tracing.otlp_endpoint.is_some() && access == Access::Alone { Arc::new(TracedStore(store)) } else { store };
        Node::over(store, auth_settings, login_settings, grant_settings).await.map_err(explain)
    }

    /// The same over a store that ends with the process: says what is wrong with a configuration and touches nothing.
    pub async fn open_in_memory(config: &Config, origin: Origin) -> Result<()> {
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
