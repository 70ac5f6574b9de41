//! Another access token for a client, and the one before it, which may count for a while beside the new one.

use falconer_store::{ClientRecord, Difference, Key, OldToken, Revision, RevokedCertificates, Step, Write};

use crate::administer::clients::change::{mark_after_reset, not_found, refuse_static};
use crate::change::acting::{Acting, step_by};
use crate::change::decide::{Decision, Now};
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::Authentication;
use crate::view::ClientView;

impl Auth {
    /// Gives the client a new access token, shown in the answer; the old one stops working at once.
    pub async fn reset_access_token(&self, who: &Authentication, client_id: &str) -> Result<(ClientView, Revision), ApiError> {
        self.reset_access_token_keeping(who, client_id, 0).await
    }

    /// The same where the old token counts for `overlap_ms` more beside the new one, with all that was signed with it; one that was kept before ends at once. It takes what
    /// resetting takes. Errors besides: 400 where that is longer than the settings let it be; 409 where the client is disabled, so that nothing can go on, or carries
    /// another grant than the caller's; 503 where the token that would go on does not open here.
    pub async fn reset_access_token_keeping(
        &self,
        who: &Authentication,
        client_id: &str,
        overlap_ms: i64,
    ) -> Result<(ClientView, Revision), ApiError> {
        let (record, revision) = self
            .decide(|now| {
                let acting = self.acting(now, who)?;
                let known = self.resettable(now, &acting, client_id)?;
                let most_ms = self.node.settings.max_token_overlap_ms;
                if !(0..=most_ms).contains(&overlap_ms) {
                    let text = format!("overlapSeconds: an old access token counts for {} seconds at most after a reset", most_ms / 1000);
                    return Err(ApiError::InputError(text));
                }
                let replaced = ClientRecord {
                    access_token: self.new_token(),
                    last_modified_ms: now.now_ms,
                    last_rotated_ms: now.now_ms,
                    ..known.clone()
                };
                let record = if overlap_ms == 0 {
                    ClientRecord {
                        old_token: None,
                        grant: mark_after_reset(&known, &acting),
                        // What the old token has signed counts no more at all.
                        revoked: RevokedCertificates::default(),
                        ..replaced
                    }
                } else {
                    ApiError::if_not_opened(&known)?;
                    let old_token = Some(OldToken { token: known.access_token.clone(), ends_ms: now.now_ms.saturating_add(overlap_ms) });
                    ClientRecord { old_token, grant: mark_beside_old(&known, &acting)?, ..replaced }
                };
                let step = acting.step(now, "access token reset", Key::Client(client_id.to_owned()));
                let step = Step { detail: Difference::of_client(&known, &record).kept(), ..step };
                Ok(Decision::Write(step, Write::UpdateClient(record.clone()), record))
            })
            .await?;
        Ok((self.view_with_token(record), revision))
    }

    /// Ends the access token before the present one at once, where it still counts. It takes what resetting takes.
    pub async fn end_old_access_token(&self, who: &Authentication, client_id: &str) -> Result<(ClientView, Revision), ApiError> {
        let (record, revision) = self
            .decide(|now| {
                let acting = self.acting(now, who)?;
                let known = self.resettable(now, &acting, client_id)?;
                if known.old_token.is_none() {
                    return Ok(Decision::Keep(known));
                }
                // Not a change of what the client is: whoever edits it meanwhile has seen all that they write.
                let record = ClientRecord { old_token: None, ..known.clone() };
                let step = acting.step(now, "old access token ended", Key::Client(client_id.to_owned()));
                let step = Step { detail: Difference::of_client(&known, &record).kept(), ..step };
                Ok(Decision::Write(step, Write::UpdateClient(record.clone()), record))
            })
            .await?;
        Ok((self.view_of(record), revision))
    }

    /// Removes up to `limit` old tokens whose time is over, and answers how many it found: fewer than `limit` means that there were no more. They counted no more before.
    pub async fn remove_ended_old_tokens(&self, limit: usize) -> Result<usize, ApiError> {
        let (snapshot, now_ms) = (self.directory(), self.now_ms());
        let found = snapshot.clients("").filter(|client| client.has_ended_old_token(now_ms)).take(limit);
        let ended: Vec<String> = found.map(|client| client.id()).collect();
        for client_id in &ended {
            self.decide(|now| {
                // It may have been reset since, or have gone.
                let Some(client) = now.snapshot.client_entry(client_id).filter(|client| client.has_ended_old_token(now.now_ms)) else {
                    return Ok(Decision::Keep(()));
                };
                Ok(Decision::Write(removal(now, client_id), without_old_token(client.record()), ()))
            })
            .await?;
        }
        Ok(ended.len())
    }

    /// Removes the old token of a client, which does not open. Audited. An error where the client is gone.
    pub async fn remove_damaged_old_token(&self, client_id: &str) -> Result<(), ApiError> {
        self.decide(|now| {
            let client = now.snapshot.client_record(client_id).ok_or_else(not_found)?;
            Ok(Decision::Write(removal(now, client_id), without_old_token(client), ()))
        })
        .await
        .map(|((), _)| ())
    }

    /// The client, for whoever may give it another token. The order of errors: 401 and 403, static, 404.
    fn resettable(&self, now: &Now, acting: &Acting, client_id: &str) -> Result<ClientRecord, ApiError> {
        acting.caller.require_scope(format!("auth:reset-access-token:{client_id}"))?;
        refuse_static(client_id)?;
        now.snapshot.client_record(client_id).ok_or_else(not_found)
    }
}

/// Who the audit names.
const ACTOR: &str = "static/falconer/auth";

fn removal(now: &Now, client_id: &str) -> Step {
    step_by(now, ACTOR, "old access token ended", vec![Key::Client(client_id.to_owned())])
}

fn without_old_token(record: ClientRecord) -> Write {
    Write::UpdateClient(ClientRecord { old_token: None, ..record })
}

/// The mark of a client two of whose tokens count. Whoever knows the old one got it under the mark that is there, which stays therefore: without it, the old one would be
/// worth more than it was. A client has one mark, so two grants can't share it.
fn mark_beside_old(known: &ClientRecord, acting: &Acting) -> Result<Option<String>, ApiError> {
    if known.disabled {
        let text = "The client is disabled: there is nothing that could go on with its old access token";
        return Err(ApiError::RequestConflict(text.to_owned()));
    }
    match (&known.grant, &acting.caller.grant) {
        (Some(mark), Some(grant)) if mark != grant => Err(ApiError::RequestConflict(format!(
            "The client is bounded by the grant {mark}, and its old access token can't go on under another one: reset it without an overlap"
        ))),
        (mark, grant) => Ok(mark.clone().or_else(|| grant.clone())),
    }
}
