//! The node's sign-in: what all use cases of this crate share.

use std::sync::Arc;

use falconer_auth::{ApiError, Auth, Clock, Random};
use falconer_store::{Store, StoreError};
use zeroize::Zeroizing;

use crate::accounts::account;
use crate::accounts::password::PasswordPool;
use crate::error::LoginError;
use crate::fingerprint::token_text;
use crate::following::figures::Refreshes;
use crate::following::known_by::CheckedProviders;
use crate::following::silent::SilentProviders;
use crate::mail::{MailFigures, Post};
use crate::sessions::forms::FormKeys;
use crate::sessions::full_counts::FullCounts;
use crate::sessions::running_attempts::RunningAttempts;
use crate::settings::LoginSettings;

/// The use cases of sign-in on one node. One for a process, behind an [`Arc`].
pub struct Login {
    pub(crate) auth: Arc<Auth>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: LoginSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) passwords: PasswordPool,
    pub(crate) form_keys: FormKeys,
    /// `None`: no mail is sent.
    pub(crate) post: Option<Post>,
    pub(crate) running_attempts: Arc<RunningAttempts>,
    pub(crate) full_counts: FullCounts,
    pub(crate) checked_providers: CheckedProviders,
    pub(crate) silent: SilentProviders,
    pub(crate) refreshes: Refreshes,
    /// A change of an account reads, decides and writes. On one node such changes take turns.
    pub(crate) account_turn: tokio::sync::Mutex<()>,
}

impl Login {
    /// Checks the settings. Errors ([`LoginError::Invalid`]): administrator scopes that no account may have, parameters of argon2 that
    /// it does not accept.
    pub fn open(
        auth: Arc<Auth>,
        store: Arc<dyn Store>,
        settings: LoginSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Login, LoginError> {
        account::check_own_scopes(&settings.administrator_scopes)?;
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let passwords = PasswordPool::new(&settings, &salt)?;
        let form_keys = settings.form_keys.clone().unwrap_or_else(|| {
            let mut key = Zeroizing::new([0; 32]);
            random.fill(key.as_mut_slice());
            FormKeys::new(vec![key])
        });
        let post = settings.mailer.clone().map(Post::new);
        Ok(Login {
            auth,
            store,
            settings,
            clock,
            random,
            passwords,
            form_keys,
            post,
            running_attempts: Arc::default(),
            full_counts: FullCounts::default(),
            checked_providers: CheckedProviders::default(),
            silent: SilentProviders::default(),
            refreshes: Refreshes::default(),
            account_turn: tokio::sync::Mutex::default(),
        })
    }

    /// Mails by what became of them; `None`: no mail is sent from here.
    pub fn mail_figures(&self) -> Option<MailFigures> {
        self.post.as_ref().map(Post::figures)
    }

    /// Milliseconds since 1970, by this node's clock.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// How many hashes of passwords this process has computed.
    pub fn password_hashes(&self) -> u64 {
        self.passwords.hashes()
    }

    /// A token of as many random bytes as text.
    pub fn draw<const N: usize>(&self) -> String {
        let mut bytes = Zeroizing::new([0; N]);
        self.random.fill(bytes.as_mut_slice());
        token_text(bytes.as_slice())
    }

    /// So many letters of an alphabet of at most 256, each as likely as the others.
    pub fn draw_letters(&self, alphabet: &[u8], count: usize) -> String {
        let mut letters = String::with_capacity(count);
        // Bytes beyond the largest multiple would make the first letters likelier.
        let most = 256 - 256 % alphabet.len().max(1);
        while letters.len() < count && !alphabet.is_empty() {
            let mut byte = [0];
            self.random.fill(&mut byte);
            let number = usize::from(u8::from_be_bytes(byte));
            if let Some(letter) = alphabet.get(number % alphabet.len()).filter(|_| number < most) {
                letters.push(char::from(*letter));
            }
        }
        letters
    }

    /// Errors: this node's clock is behind what was committed, so that what has ended would count again. Or the node is cut off from its database. Nobody is let in then.
    pub fn check_clock(&self) -> Result<(), LoginError> {
        if let Some(behind_ms) = self.auth.clock_behind_ms() {
            return Err(LoginError::ClockBehind { behind_ms });
        }
        self.auth.cut_off_ms().map_or(Ok(()), |for_ms| Err(ApiError::CutOff { for_ms }.into()))
    }

    /// What a store's error means to whoever only read, so that nothing can have been changed. A fatal one ends the process.
    pub fn read_error(&self, error: StoreError) -> LoginError {
        match error {
            StoreError::Fatal(text) => {
                self.end_process(&text);
                LoginError::Internal(format!("the store failed for good, so this process ends: {text}"))
            }
            StoreError::Unavailable(text)
            | StoreError::Full(text)
            | StoreError::Unknown(text)
            | StoreError::InTheWay(text)
            | StoreError::InUse(text)
            | StoreError::Denied(text) => LoginError::Unavailable(text),
            StoreError::Corrupt(text) => LoginError::Internal(text),
            StoreError::Newer(_) => LoginError::Internal(error.to_string()),
            StoreError::Stale | StoreError::Conflict => LoginError::Unavailable("records kept changing".to_owned()),
        }
    }

    /// What a store's error means to whoever wanted to change something. A fatal one ends the process.
    pub fn store_error(&self, error: StoreError) -> LoginError {
        match error {
            StoreError::Fatal(text) => {
                self.end_process(&text);
                // The contract says no more: it may have been written.
                LoginError::OutcomeUnknown(text)
            }
            StoreError::Unknown(text) => LoginError::OutcomeUnknown(text),
            other => self.read_error(other),
        }
    }

    fn end_process(&self, why: &str) {
        tracing::error!(reason = %why, "the store failed; this process must end");
        (self.settings.on_fatal)(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Web servers move futures between threads; this does not compile when one of them can't be moved.
    #[test]
    fn use_cases_can_move_between_threads() {
        fn moves<T: Send>(_: T) {}
        fn hold(login: &Login) {
            moves(login.delete_account("by", "name"));
            let visitor = crate::Visitor { address: [127, 0, 0, 1].into(), user_agent: "", browser: None };
            moves(login.sign_in_local("name", "password", &visitor));
        }
        let _ = hold;
    }
}
