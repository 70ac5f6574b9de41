//! The audit, as the API shows it.

use falconer_store::{AuditEntry, AuditStart, HistoryFilter};

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

/// What the history tells of, as [`AuditEntry::entity_type`] has it.
pub const HISTORY_TYPES: [&str; 12] = [
    "account",
    "application",
    "client",
    "clock",
    "grant",
    "group",
    "identity",
    "initial-token",
    "issuer",
    "person",
    "role",
    "scope-registry",
];
/// Of these, what changed is shown to those who may see the history of this kind of record.
const ABOUT_PEOPLE: [&str; 4] = ["account", "group", "identity", "person"];
/// So many rows are looked at for one page.
const MOST_LOOKED: u32 = 2000;

/// A page of the whole history.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeHistory {
    /// Newest first, with what is kept of each.
    pub rows: Vec<AuditEntry>,
    /// There may be more below the row of this number.
    pub next: Option<i64>,
    /// The types that the caller may see at all; `None`: all.
    pub types: Option<Vec<String>>,
}

impl Auth {
    /// The whole history, newest first: of each type of record for which the caller has `auth:audit-history:<type>`, and all that one client or identity did for a
    /// caller with `auth:client-audit-history:<id>` who asks for its doings. `wanted.types` is not looked at. Errors: the 403 where nothing may be seen of what is
    /// asked for, and an `InputError` for an id without a type.
    pub async fn whole_history(&self, who: &Authentication, wanted: &HistoryFilter, limit: u32) -> Result<WholeHistory, ApiError> {
        let caller = self.caller(who)?;
        if wanted.entity_id.is_some() && wanted.entity_type.is_none() {
            return Err(ApiError::InputError("An id is the id of some kind of record: choose which".to_owned()));
        }
        let may = |scope: &str| caller.scopes.satisfies(scope);
        let sees_doings = wanted.actor.as_ref().is_some_and(|actor| may(&format!("auth:client-audit-history:{actor}")));
        let types = if sees_doings || may("auth:audit-history:*") {
            None
        } else {
            Some(HISTORY_TYPES.into_iter().filter(|kind| may(&format!("auth:audit-history:{kind}"))).map(str::to_owned).collect::<Vec<_>>())
        };
        match (&wanted.entity_type, &types) {
            (_, None) => {}
            (Some(kind), Some(_)) => caller.require_scope(format!("auth:audit-history:{kind}"))?,
            (None, Some(types)) if types.is_empty() => caller.require_scope("auth:audit-history:*".to_owned())?,
            (None, Some(_)) => {}
        }
        let wanted = HistoryFilter { types: types.clone().filter(|_| wanted.entity_type.is_none()), ..wanted.clone() };
        let part = self.node.store.whole_history(&wanted, MOST_LOOKED, limit.max(1)).await.map_err(|error| self.node.store_error(error))?;
        let mut rows = part.rows;
        for row in rows.iter_mut().filter(|row| ABOUT_PEOPLE.contains(&row.entity_type.as_str())) {
            // Whoever may see all that an administrator did may not see everybody's address for that.
            if !may(&format!("auth:audit-history:{}", row.entity_type)) {
                row.detail = None;
            }
        }
        Ok(WholeHistory { rows, next: part.next, types })
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
        detail: row.detail.and_then(|detail| match detail {
            serde_json::Value::Object(members) => Some(members),
            _ => None,
        }),
    });
    Page { items: rows.collect(), next }
}
