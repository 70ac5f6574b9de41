//! Passwords: argon2id in a bounded pool, so that a flood of sign-ins costs a known amount of memory and threads.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::error::{LoginError, OpenError};
use crate::settings::{LoginSettings, PasswordCost};

/// The shortest password, in bytes.
pub const SHORTEST_PASSWORD: usize = 8;
/// The longest password, in bytes.
pub const LONGEST_PASSWORD: usize = 512;

pub(crate) struct Passwords {
    argon: Argon2<'static>,
    /// Those that compute.
    working: Arc<Semaphore>,
    /// Those that compute or wait.
    inside: Arc<Semaphore>,
    /// What is verified for names that have no password, so that time does not tell.
    dummy: Arc<str>,
}

impl Passwords {
    pub(crate) async fn open(settings: &LoginSettings, password: [u8; 32], salt: [u8; 16]) -> Result<Passwords, OpenError> {
        let argon = argon(settings.password_cost)?;
        let workers = settings.password_workers.clamp(1, 1024);
        let mut passwords = Passwords {
            argon,
            working: Arc::new(Semaphore::new(workers)),
            inside: Arc::new(Semaphore::new(workers.saturating_add(settings.password_queue.min(1 << 16)))),
            dummy: Arc::from(""),
        };
        let nobody_knows = Zeroizing::new(URL_SAFE_NO_PAD.encode(password));
        let dummy = passwords.hash(&nobody_knows, salt).await.map_err(|error| OpenError::Failed(error.to_string()))?;
        passwords.dummy = Arc::from(dummy);
        Ok(passwords)
    }

    /// An argon2id string in PHC form.
    pub(crate) async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String, LoginError> {
        let argon = self.argon.clone();
        let password = Zeroizing::new(password.as_bytes().to_vec());
        self.run(move || argon.hash_password_with_salt(&password, &salt).map(|hash: PasswordHash| hash.to_string()))
            .await?
            .map_err(|error| LoginError::Internal(format!("argon2id: {error}")))
    }

    /// Whether the password is the one behind this hash; with `None` the same work is done, and the answer is no.
    pub(crate) async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, LoginError> {
        let argon = self.argon.clone();
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let known = hash.is_some();
        let hash: Arc<str> = hash.map_or_else(|| Arc::clone(&self.dummy), Arc::from);
        let right = self.run(move || argon.verify_password(&password, &*hash).is_ok()).await?;
        Ok(known && right)
    }

    /// Runs on a blocking thread. The permits go with the work, not with whoever waits for it: a caller who hangs up frees nothing early.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, LoginError> {
        let inside = Arc::clone(&self.inside).try_acquire_owned().map_err(|_| LoginError::TooBusy)?;
        let working = Arc::clone(&self.working).acquire_owned().await.map_err(|_| LoginError::TooBusy)?;
        let permits: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (inside, working);
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permits);
            done
        })
        .await
        .map_err(|error| LoginError::Internal(format!("a password could not be hashed: {error}")))
    }
}

/// 8 to 512 bytes.
pub(crate) fn check_length(password: &str) -> Result<(), LoginError> {
    if password.len() < SHORTEST_PASSWORD {
        return Err(LoginError::Input(format!("A password has at least {SHORTEST_PASSWORD} characters")));
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(LoginError::Input(format!("A password has at most {LONGEST_PASSWORD} bytes")));
    }
    Ok(())
}

fn argon(cost: PasswordCost) -> Result<Argon2<'static>, OpenError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
        .map_err(|error| OpenError::Configuration(format!("the cost of passwords: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}
