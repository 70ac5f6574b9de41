//! The audit, as the API shows it (`auth-api.md` 8.6).

use falconer_store::AuditEntry;

use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::Authentication;
use crate::view::{HistoryEntry, Page, PageQuery, Start};

impl Auth {
    /// What happened to an entity, oldest first; empty where nothing is known.
    pub async fn entity_history(
        &self,
        who: &Authentication,
        entity_type: &str,
        entity_id: &str,
        query: PageQuery,
    ) -> Result<Page<HistoryEntry>, ApiError> {
        self.caller(who)?.require_scope(format!("auth:audit-history:{entity_type}"))?;
        let found = self.node.store.entity_history(entity_type, entity_id, skipped(&query)?, one_more(&query)).await;
        page(found.map_err(|error| self.node.store_error(error))?, &query)
    }

    /// What a client did, oldest first; empty where nothing is known.
    pub async fn audit_history(&self, who: &Authentication, client_id: &str, query: PageQuery) -> Result<Page<HistoryEntry>, ApiError> {
        self.caller(who)?.require_scope(format!("auth:client-audit-history:{client_id}"))?;
        let found = self.node.store.actor_history(client_id, skipped(&query)?, one_more(&query)).await;
        page(found.map_err(|error| self.node.store_error(error))?, &query)
    }
}

/// One row more than wanted tells whether there is another page.
fn one_more(query: &PageQuery) -> u32 {
    u32::try_from(query.limit.saturating_add(1)).unwrap_or(u32::MAX)
}

/// How many rows were shown before. A place behind an id is of another listing.
fn skipped(query: &PageQuery) -> Result<u64, ApiError> {
    match query.start {
        Start::Offset(offset) => Ok(offset),
        Start::After(_) => Err(ApiError::InputError("Invalid continuation token".to_owned())),
    }
}

fn page(rows: Vec<AuditEntry>, query: &PageQuery) -> Result<Page<HistoryEntry>, ApiError> {
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let before = skipped(query)?;
    let next = (rows.len() > limit).then(|| Start::Offset(before.saturating_add(query.limit)));
    let rows = rows.into_iter().take(limit).map(|row| HistoryEntry {
        client_id: row.actor,
        action_type: row.action,
        created_ms: row.at_ms,
        entity_id: row.entity_id,
        entity_type: row.entity_type,
        grant: row.grant,
    });
    Ok(Page { items: rows.collect(), next })
}
