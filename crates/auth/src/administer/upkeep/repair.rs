//! Records whose sealed value does not open any more get a new value. For an operator on the machine of the server.

use std::sync::atomic::Ordering;

use falconer_credentials::AccessToken;
use falconer_store::{ClientRecord, Damaged, IssuerRecord, Key, Write};

use crate::change::acting::step_by;
use crate::change::decide::{Decision, Now};
use crate::error::{ApiError, AuthError};
use crate::node::{Auth, Node};

/// Who the audit names.
const ACTOR: &str = "static/falconer/auth";
/// Of more rows than this the log says only how many there are.
const MOST_NAMED: usize = 100;
/// So many grants are revoked in one step.
const AT_ONCE: usize = 500;

impl Auth {
    /// How many rows had a sealed value that did not open, when everything was read last.
    pub fn damaged_count(&self) -> usize {
        self.node.damaged.load(Ordering::Relaxed)
    }

    /// Gives a client, whose token does not open, a new one. Audited. An error where it is gone.
    pub async fn repair_client(&self, client_id: &str) -> Result<AccessToken, ApiError> {
        let (token, _) = self
            .decide(|now| {
                let known = now.snapshot.client(client_id).ok_or_else(|| ApiError::ResourceNotFound("Client not found".to_owned()))?;
                let access_token = self.new_token();
                let record = ClientRecord {
                    access_token: access_token.clone(),
                    last_modified_ms: now.now_ms,
                    last_rotated_ms: now.now_ms,
                    last_date_used_ms: known.last_date_used_ms(),
                    ..known.record()
                };
                let step = step_by(now, ACTOR, "access token reset", vec![Key::Client(client_id.to_owned())]);
                Ok(Decision::Write(step, Write::UpdateClient(record), access_token))
            })
            .await?;
        Ok(AccessToken::new(token.expose().to_owned()))
    }

    /// Deletes a client whose token does not open. Audited.
    pub async fn delete_damaged_client(&self, client_id: &str) -> Result<(), ApiError> {
        self.decide(|now| {
            let step = step_by(now, ACTOR, "deleted", vec![Key::Client(client_id.to_owned())]);
            Ok(Decision::Write(step, Write::DeleteClient(client_id.to_owned()), ()))
        })
        .await
        .map(|((), _)| ())
    }

    /// Gives an issuer, whose token does not open, a new one, and lets another one sign: what it has signed ends, and its grants are revoked, so that everybody who asks
    /// what has ended is told. Audited.
    pub async fn repair_issuer(&self, name: &str) -> Result<(), AuthError> {
        // Before, because nothing names the issuer as damaged afterwards; and after, for what was granted in between.
        self.revoke_grants_of_issuer(name).await?;
        self.decide(|now| {
            let known = now.snapshot.issuer(name).ok_or_else(|| ApiError::ResourceNotFound("Issuer not found".to_owned()))?;
            let record =
                IssuerRecord { token: self.new_token(), retired_ms: known.record.retired_ms.or(Some(now.now_ms)), ..known.record.clone() };
            Ok(Decision::Write(step_by(now, ACTOR, "token replaced", Vec::new()), Write::ReplaceIssuer(record), ()))
        })
        .await?;
        self.ensure_issuer().await?;
        self.catch_up().await.map_err(|error| self.node.store_error(error))?;
        self.revoke_grants_of_issuer(name).await
    }

    async fn revoke_grants_of_issuer(&self, name: &str) -> Result<(), AuthError> {
        let of_issuer = |now: &Now| -> Vec<String> {
            let grants = now.snapshot.grants().filter(|grant| grant.record.issuer == name);
            grants.take(AT_ONCE).map(|grant| grant.record.id.clone()).collect()
        };
        loop {
            let (has_more, _) = self
                .decide(|now| {
                    let ids = of_issuer(now);
                    if ids.is_empty() {
                        return Ok(Decision::Keep(false));
                    }
                    let step = step_by(now, ACTOR, "revoked", ids.iter().cloned().map(Key::Grant).collect());
                    let write = Write::RevokeGrants { ids, by: ACTOR.to_owned(), reason: "the key that signed it was replaced".to_owned() };
                    Ok(Decision::Write(step, write, true))
                })
                .await?;
            if !has_more {
                return Ok(());
            }
        }
    }
}

impl Node {
    /// Remembers how many rows are damaged, and names them in the log.
    pub(crate) fn note_damaged(&self, damaged: &[Damaged]) {
        self.damaged.store(damaged.len(), Ordering::Relaxed);
        for row in damaged.iter().take(MOST_NAMED) {
            let (kind, id, why) = (row.kind.as_str(), &row.id, &row.why);
            tracing::error!(
                kind,
                id,
                why,
                "a sealed value does not open: its record is refused, all others are served; see `falconer repair`"
            );
        }
        if let Some(more) = damaged.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
            tracing::error!(more, "more sealed values do not open; `falconer repair --dry-run` names them");
        }
    }
}
