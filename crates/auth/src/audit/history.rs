//! The audit, as the API shows it.

use falconer_store::{AuditEntry, AuditStart};

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
        let found = self.node.store.entity_history(entity_type, entity_id, start(&query)?, one_more(&query)).await;
        Ok(page(found.map_err(|error| self.node.store_error(error))?, &query))
    }

    /// What happened to several entities, as one history. The caller has decided that it may be shown.
    pub(crate) async fn history_of(&self, entities: &[(&str, String)], query: PageQuery) -> Result<Page<HistoryEntry>, ApiError> {
        let after = match &query.start {
            Start::Offset(_) => AuditStart::After(0),
            Start::After(_) => start(&query)?,
        };
        let mut rows = Vec::new();
        for (entity_type, entity_id) in entities {
            let found = self.node.store.entity_history(entity_type, entity_id, after, one_more(&query)).await;
            rows.extend(found.map_err(|error| self.node.store_error(error))?);
        }
        rows.sort_by_key(|row| row.number);
        Ok(page(rows, &query))
    }

    /// What a client did, oldest first; empty where nothing is known.
    pub async fn audit_history(&self, who: &Authentication, client_id: &str, query: PageQuery) -> Result<Page<HistoryEntry>, ApiError> {
        self.caller(who)?.require_scope(format!("auth:client-audit-history:{client_id}"))?;
        let found = self.node.store.actor_history(client_id, start(&query)?, one_more(&query)).await;
        Ok(page(found.map_err(|error| self.node.store_error(error))?, &query))
    }
}

/// One row more than wanted tells whether there is another page.
fn one_more(query: &PageQuery) -> u32 {
    u32::try_from(query.limit.saturating_add(1)).unwrap_or(u32::MAX)
}

/// A place behind a row is the number of the row. What is no number is a place of another listing.
fn start(query: &PageQuery) -> Result<AuditStart, ApiError> {
    match &query.start {
        Start::Offset(offset) => Ok(AuditStart::Offset(*offset)),
        Start::After(number) => {
            number.parse().map(AuditStart::After).map_err(|_| ApiError::InputError("Invalid continuation token".to_owned()))
        }
    }
}

/// A part of the history, and where the next one begins: behind its last row, whatever retention removes meanwhile.
fn page(mut rows: Vec<AuditEntry>, query: &PageQuery) -> Page<HistoryEntry> {
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| is_more).map(|last| Start::After(last.number.to_string()));
    let rows = rows.into_iter().map(|row| HistoryEntry {
        client_id: row.actor,
        action_type: row.action,
        created_ms: row.at_ms,
        entity_id: row.entity_id,
        entity_type: row.entity_type,
        grant: row.grant,
    });
    Page { items: rows.collect(), next }
}
