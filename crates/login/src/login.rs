//! The node's sign-in: what the use cases of this crate share.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::{ApiError, Auth, Clock, Random};
use falconer_store::{Store, StoreError};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::{LoginError, OpenError};
use crate::password::Passwords;
use crate::settings::LoginSettings;

/// Sign-in, sessions, local accounts and access grants on one node. Share it in an `Arc`.
pub struct Login {
    pub(crate) auth: Arc<Auth>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: LoginSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) passwords: Passwords,
    /// Signs the forms of people who have no session yet. It ends with the process: an old form is shown again.
    pub(crate) form_key: Zeroizing<[u8; 64]>,
    /// Changes of accounts read, decide and write; they take turns, so that none is lost. Sign-in ends inside of it too: no session can
    /// begin with a password that has just been changed.
    pub(crate) accounts_turn: tokio::sync::Mutex<()>,
}

impl Login {
    /// Checks the settings and makes ready. Errors: settings that contradict the rules.
    pub async fn open(
        auth: Arc<Auth>,
        store: Arc<dyn Store>,
        settings: LoginSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Login, OpenError> {
        crate::account_rules::check_setup_scopes(&settings.setup_scopes)
            .map_err(|error| OpenError::Configuration(format!("scopes of the first administrator: {error}")))?;
        let passwords = Passwords::open(&settings, draw(&*random), draw(&*random)).await?;
        let form_key = Zeroizing::new(draw(&*random));
        Ok(Login { auth, store, settings, clock, random, passwords, form_key, accounts_turn: tokio::sync::Mutex::default() })
    }

    /// The settings that this node was opened with.
    pub fn settings(&self) -> &LoginSettings {
        &self.settings
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// 256 random bits as 43 characters of `[A-Za-z0-9_-]`.
    pub(crate) fn new_token(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new(draw::<32>(&*self.random));
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))
    }

    /// What a failed call of the store means to whoever asked. When the store failed for good, this process ends.
    pub(crate) fn store_error(&self, error: StoreError) -> LoginError {
        LoginError::from(self.auth.store_error(error))
    }

    /// Nobody is let in while this node's clock is behind what was already committed: what has ended would live again.
    pub(crate) fn check_clock(&self) -> Result<(), LoginError> {
        if self.auth.clock_is_behind() {
            return Err(LoginError::from(ApiError::Unavailable("this node's clock is behind the store".to_owned())));
        }
        Ok(())
    }
}

/// `N` random bytes.
pub(crate) fn draw<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// SHA-256 of a random token, as base64url: how tokens are kept. They have 256 random bits, so nothing slower is needed.
pub(crate) fn hash_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// Whether this can be one of our tokens: 43 characters of base64url.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
