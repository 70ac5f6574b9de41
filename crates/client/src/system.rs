//! The one place that reads the system's clock and randomness; everything else of this crate takes them as values.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

/// Milliseconds since 1970 by the system's clock; 0 for a clock before that.
#[must_use]
pub fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "a client has to know the time to sign with it")]
    since_1970_ms(SystemTime::now()).unwrap_or(0)
}

/// `None` for a time before 1970.
pub(crate) fn since_1970_ms(time: SystemTime) -> Option<i64> {
    time.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok())
}

/// Bytes from the system's generator. Errors: [`Error::Randomness`], when the system has none to give.
pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "nonces, seeds and jitter come from here")]
    getrandom::fill(&mut bytes).map_err(|_| Error::Randomness)?;
    Ok(bytes)
}

/// 22 characters for 16 bytes, such as Falconer's own ids of refusals. All the same where the system has no randomness: nothing depends on it.
#[must_use]
pub fn new_id() -> String {
    URL_SAFE_NO_PAD.encode(random::<16>().unwrap_or_default())
}
