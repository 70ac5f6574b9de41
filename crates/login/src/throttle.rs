//! How often a password may be guessed: by account and by address, counted in the store, so that all nodes count together.
//!
//! What is refused is not counted, so that waiting helps; passkeys do not come here at all.

use std::net::IpAddr;

use falconer_auth::MINUTE_MS;

use crate::error::LoginError;
use crate::login::Login;

const WINDOW_MS: i64 = 15 * MINUTE_MS;
const BY_ACCOUNT: u32 = 10;
const BY_ADDRESS: u32 = 50;

/// What attempts are counted by.
pub(crate) struct AttemptKey {
    text: String,
    limit: u32,
}

impl AttemptKey {
    pub(crate) fn account(name: &str) -> AttemptKey {
        AttemptKey { text: format!("password/account/{name}"), limit: BY_ACCOUNT }
    }

    /// An IPv6 caller commands a whole /64, so that is what counts.
    pub(crate) fn address(address: IpAddr) -> AttemptKey {
        let text = match address.to_canonical() {
            IpAddr::V4(v4) => format!("password/address/{v4}"),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("password/address/{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        };
        AttemptKey { text, limit: BY_ADDRESS }
    }
}

impl Login {
    /// Refuses when the window is full. Counts nothing.
    pub(crate) async fn check_attempts(&self, key: &AttemptKey) -> Result<(), LoginError> {
        if self.attempts_within(key, WINDOW_MS).await? < key.limit {
            return Ok(());
        }
        Err(self.too_many(key).await)
    }

    /// Counts one more; refuses when that is one too many.
    pub(crate) async fn note_attempt(&self, key: &AttemptKey) -> Result<(), LoginError> {
        let noted = self.store.note_attempt(&key.text, self.now_ms(), WINDOW_MS).await;
        if noted.map_err(|error| self.store_error(error))? <= key.limit {
            return Ok(());
        }
        Err(self.too_many(key).await)
    }

    pub(crate) async fn clear_attempts(&self, key: &AttemptKey) -> Result<(), LoginError> {
        self.store.clear_attempts(&key.text).await.map_err(|error| self.store_error(error))
    }

    async fn attempts_within(&self, key: &AttemptKey, window_ms: i64) -> Result<u32, LoginError> {
        self.store.attempts(&key.text, self.now_ms(), window_ms).await.map_err(|error| self.store_error(error))
    }

    /// The shortest wait in whole minutes after which enough attempts have left the window: found by looking at shorter windows.
    async fn too_many(&self, key: &AttemptKey) -> LoginError {
        let (mut too_short, mut enough) = (0, WINDOW_MS / MINUTE_MS);
        while enough - too_short > 1 {
            let middle = too_short + (enough - too_short) / 2;
            match self.attempts_within(key, WINDOW_MS - middle * MINUTE_MS).await {
                Ok(left) if left < key.limit => enough = middle,
                Ok(_) => too_short = middle,
                Err(error) => return error,
            }
        }
        LoginError::TooManyAttempts { retry_after_seconds: u64::try_from(enough).unwrap_or(15) * 60 }
    }
}
