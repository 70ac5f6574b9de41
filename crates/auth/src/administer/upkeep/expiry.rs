//! Clients that wish to go when they have ended.

use falconer_store::{Key, Write};

use crate::change::acting::step_by;
use crate::change::decide::Decision;
use crate::directory::clients::entry::ClientEntry;
use crate::error::ApiError;
use crate::node::Auth;

/// Who the audit names.
const ACTOR: &str = "static/taskcluster/auth";

impl Auth {
    /// Deletes up to `limit` of the clients that wish to go when they have ended, and answers how many it found: fewer than `limit` means
    /// that there were no more. They could do nothing before. Whoever else changes something gets its turn in between.
    pub async fn delete_expired_clients(&self, limit: usize) -> Result<usize, ApiError> {
        let ended = |client: &ClientEntry<'_>, now_ms: i64| {
            client.delete_on_expiration() && client.expires_ms() < now_ms && !client.starts_with("static/")
        };
        let (snapshot, now_ms) = (self.directory(), self.now_ms());
        let found = snapshot.clients("").filter(|client| ended(client, now_ms)).take(limit);
        let old: Vec<String> = found.map(|client| client.id()).collect();
        for client_id in &old {
            self.decide(|now| {
                // It may have been given more time since, or have gone.
                if !now.snapshot.client_entry(client_id).is_some_and(|client| ended(&client, now.now_ms)) {
                    return Ok(Decision::Keep(()));
                }
                let step = step_by(now, ACTOR, "expired", vec![Key::Client(client_id.clone())]);
                Ok(Decision::Write(step, Write::DeleteClient(client_id.clone()), ()))
            })
            .await?;
        }
        Ok(old.len())
    }
}
