//! Passwords: argon2id, a few at a time (`security.md` rule 10).

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::error::LoginError;
use crate::settings::{LoginSettings, PasswordCost};

/// Shortest and longest password in bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=512;

/// Hashes and checks passwords outside of the async threads, and only so many at the same time, because each takes much memory.
pub(crate) struct PasswordPool {
    cost: PasswordCost,
    workers: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// The hash of nobody's password: an unknown name costs what a known one costs.
    dummy: String,
}

/// A place among those that hash or wait.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// The right to hash one password: held until the work is done, also when the caller has gone.
struct Turn {
    _worker: OwnedSemaphorePermit,
    _place: Place,
}

impl PasswordPool {
    pub(crate) fn new(settings: &LoginSettings, salt: &[u8; 16]) -> Result<PasswordPool, LoginError> {
        let workers = settings.password_workers.clamp(1, 1024);
        let places = workers.saturating_add(settings.password_queue.min(65_536));
        Ok(PasswordPool {
            cost: settings.password_cost,
            workers: Arc::new(Semaphore::new(workers)),
            places: Arc::new(Semaphore::new(places)),
            dummy: nobodys(settings.password_cost, salt).map_err(|error| LoginError::Invalid(format!("argon2: {error}")))?,
        })
    }

    /// The hash to be stored, in PHC form. The salt must be new and random.
    pub(crate) async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String, LoginError> {
        let turn = self.turn(self.enter()?).await?;
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let cost = self.cost;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            hash(cost, &password, &salt)
        })
        .await
        .map_err(|error| LoginError::Internal(error.to_string()))?
        .map_err(LoginError::Internal)
    }

    /// Whether the password is the one that was hashed. Without a hash the same work is done, and the answer is no.
    pub(crate) async fn check(&self, place: Place, password: &str, stored: Option<&str>) -> Result<bool, LoginError> {
        let turn = self.turn(place).await?;
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let known = stored.is_some();
        let stored = Zeroizing::new(stored.unwrap_or(&self.dummy).to_owned());
        let right = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let parsed = PasswordHash::new(&stored)?;
            match Argon2::default().verify_password(&password, &parsed) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
        .map_err(|error| LoginError::Internal(error.to_string()))?
        .map_err(|error| LoginError::Internal(format!("a stored password hash: {error}")))?;
        Ok(right && known)
    }

    /// Takes a place, if there is one.
    pub(crate) fn enter(&self) -> Result<Place, LoginError> {
        Arc::clone(&self.places).try_acquire_owned().map(|permit| Place { _permit: permit }).map_err(|_| LoginError::TooBusy)
    }

    async fn turn(&self, place: Place) -> Result<Turn, LoginError> {
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|error| LoginError::Internal(error.to_string()))?;
        Ok(Turn { _worker: worker, _place: place })
    }
}

/// Whether a password could be one at all.
pub(crate) fn has_fitting_length(password: &str) -> bool {
    LENGTH.contains(&password.len())
}

/// A sentence when the password can't be chosen.
pub(crate) fn check_new(password: &str) -> Result<(), LoginError> {
    if has_fitting_length(password) {
        return Ok(());
    }
    Err(LoginError::Invalid(format!("A password has {} to {} bytes.", LENGTH.start(), LENGTH.end())))
}

fn hash(cost: PasswordCost, password: &[u8], salt: &[u8; 16]) -> Result<String, String> {
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(cost).map_err(|error| error.to_string())?);
    let hash: PasswordHash = hasher.hash_password_with_salt(password, salt).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

fn params(cost: PasswordCost) -> Result<Params, argon2::Error> {
    Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
}

/// A hash that no password is known for: checking one against it costs what any check costs, and making it nothing, so that a start does not wait.
fn nobodys(cost: PasswordCost, random: &[u8; 16]) -> Result<String, argon2::Error> {
    let params = params(cost)?;
    let (memory_kib, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    let (salt, output) = (STANDARD_NO_PAD.encode(random), STANDARD_NO_PAD.encode(Sha256::digest(random)));
    Ok(format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${output}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    fn pool(workers: usize, queue: usize) -> PasswordPool {
        let settings = LoginSettings {
            password_cost: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 },
            password_workers: workers,
            password_queue: queue,
            ..LoginSettings::default()
        };
        PasswordPool::new(&settings, &[7; 16]).unwrap()
    }

    #[tokio::test]
    async fn who_finds_no_place_is_turned_away_and_who_waits_gets_a_turn() {
        let pool = pool(1, 1);
        let working = pool.turn(pool.enter().unwrap()).await.unwrap();
        let mut waiting = pin!(pool.turn(pool.enter().unwrap()));
        let pending = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await;
        assert!(pending);
        assert_eq!(pool.enter().err(), Some(LoginError::TooBusy));
        drop(working);
        assert!(waiting.await.is_ok());
        assert_eq!(pool.check(pool.enter().unwrap(), "some password", None).await, Ok(false));
    }

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let pool = pool(1, 0);
        let hash = pool.hash("some password", [1; 16]).await.unwrap();
        assert_eq!(pool.check(pool.enter().unwrap(), "some password", Some(&hash)).await, Ok(true));
        for wrong in ["", "some passwor", "some password ", "Some password"] {
            assert_eq!(pool.check(pool.enter().unwrap(), wrong, Some(&hash)).await, Ok(false));
        }
        // Whatever is given for a name that nobody has.
        assert_eq!(pool.check(pool.enter().unwrap(), "", None).await, Ok(false));
        let (theirs, nobodys) = (PasswordHash::new(&hash).unwrap(), PasswordHash::new(&pool.dummy).unwrap());
        assert_eq!(
            (&nobodys.algorithm, nobodys.version, &nobodys.params),
            (&theirs.algorithm, theirs.version, &theirs.params),
            "the same work"
        );
        let broken = pool.check(pool.enter().unwrap(), "some password", Some("not a hash")).await;
        assert!(matches!(broken, Err(LoginError::Internal(_))));
    }
}
