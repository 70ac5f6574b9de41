//! Audit histories.

use falconer_auth::{HistoryEntry, Page};
use falconer_wire::continuation::Scheme;
use falconer_wire::{AuditEntry, AuditHistory};

use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, time, token};

pub(crate) async fn of_entity(request: &Request<'_>) -> Answer {
    let query = request.page()?;
    Ok(shape(request.auth.entity_history(request.who, request.param("entityType"), request.param("entityId"), query).await?))
}

pub(crate) async fn by_client(request: &Request<'_>) -> Answer {
    let query = request.page()?;
    Ok(shape(request.auth.audit_history(request.who, request.param("clientId"), query).await?))
}

fn shape(page: Page<HistoryEntry>) -> Reply {
    let continuation_token = token(page.next, Scheme::ClientsAndAudit);
    let entry = |entry: HistoryEntry| AuditEntry {
        client_id: entry.client_id,
        action_type: entry.action_type,
        created: time(entry.created_ms),
        entity_id: entry.entity_id,
        entity_type: entry.entity_type,
    };
    Reply::json(&AuditHistory { audit_history: page.items.into_iter().map(entry).collect(), continuation_token })
}
