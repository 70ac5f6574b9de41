//! What the server says of credentials at this moment.

use std::time::Duration;

use falconer_client::{Client, Error, Retry};

/// Whether they hold.
pub enum Live {
    /// They do, with so many scopes. `None`: they may not ask.
    Accepted(Option<usize>),
    /// The server refuses them.
    Refused(Error),
    /// There was no answer that says it.
    NotKnown(Error),
}

/// Asks. Whoever may not ask what they may do is known nevertheless.
pub async fn ask(client: Client) -> Live {
    let retry = Retry { tries: 2, timeout: Duration::from_secs(10), ..Retry::default() };
    match client.with_retry(retry).current_scopes().await {
        Ok(found) => Live::Accepted(Some(found.scopes.len())),
        Err(error) => match error.status() {
            Some(403) => Live::Accepted(None),
            Some(401) => Live::Refused(error),
            _ => Live::NotKnown(error),
        },
    }
}
