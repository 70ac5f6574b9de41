//! Clients that wish to go when they have ended.

use falconer_store::{ClientRecord, Key};

use crate::auth::Auth;
use crate::decide::{Decision, Write, step_by};
use crate::error::ApiError;

impl Auth {
    /// Deletes the clients that wish to go when they have ended. Decides nothing: they were worth nothing before. Answers how many.
    pub async fn delete_expired_clients(&self) -> Result<usize, ApiError> {
        let ended = |record: &ClientRecord, now_ms: i64| {
            record.delete_on_expiration && record.expires_us.div_euclid(1000) < now_ms && !record.client_id.starts_with("static/")
        };
        let (snapshot, now_ms) = (self.directory(), self.now_ms());
        let old: Vec<String> = snapshot.clients("").filter(|c| ended(&c.record, now_ms)).map(|c| c.record.client_id.clone()).collect();
        for client_id in &old {
            self.decide(|now| {
                if !now.snapshot.client(client_id).is_some_and(|client| ended(&client.record, now.now_ms)) {
                    return Ok(Decision::Keep(()));
                }
                let step = step_by(now, "static/falconer/auth", "expired", vec![Key::Client(client_id.clone())]);
                Ok(Decision::Write(step, Write::DeleteClient(client_id.clone()), ()))
            })
            .await?;
        }
        Ok(old.len())
    }
}
