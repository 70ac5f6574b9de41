//! Work that goes on where whoever asked for it hangs up.

use falconer_traces::carry;

use crate::error::LoginError;

/// Does what goes on although nobody waits for it. Where nobody waits any more, nobody hears of a store that has failed for good: the next who writes to it does.
pub async fn in_a_task<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, LoginError> {
    tokio::spawn(carry(work)).await.map_err(|error| LoginError::Internal(error.to_string()))
}
