//! The real time: a load generator is the edge of the system.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

/// Milliseconds since 1970, by the system's clock.
#[expect(clippy::disallowed_methods, reason = "a load generator is the edge: it signs with the real time")]
pub fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
