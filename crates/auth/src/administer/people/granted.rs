//! What people let others do, over everybody, and which clients were made with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use falconer_store::GrantRecord;

use crate::directory::entries::Grant;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::Authentication;
use crate::view::{Page, PageQuery, Start};

/// So many clients of a grant are named.
pub const MOST_NAMED_CLIENTS: usize = 20;

/// A grant that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGrant {
    /// As stored, with a last use that may not be stored yet.
    pub record: GrantRecord,
    /// Clients that were made with it, ascending; at most [`MOST_NAMED_CLIENTS`].
    pub clients: Vec<String>,
}

impl Auth {
    /// Grants of everybody that can be used, the newest first. `text` is a part of the identity, the site, the name or the id, in any letter case; empty:
    /// all of them. The caller needs `auth:list-grants`.
    pub fn list_grants(&self, who: &Authentication, text: &str, query: &PageQuery) -> Result<Page<ListedGrant>, ApiError> {
        let reading = self.reading(who)?;
        reading.caller.require_scope("auth:list-grants".to_owned())?;
        let (limit, text) = (usize::try_from(query.limit).unwrap_or(usize::MAX), text.trim().to_lowercase());
        let before = position(&query.start);
        let snapshot = &reading.snapshot;
        let is_active = |grant: &GrantRecord| grant.revoked_ms.is_none() && grant.expires_ms > reading.now_ms;
        let mut found: Vec<&Arc<Grant>> = snapshot
            .grants()
            .filter(|grant| is_active(&grant.record) && snapshot.has_living_ancestors(grant, reading.now_ms))
            .filter(|grant| before.is_none_or(|before| place(grant) < before) && fits(&grant.record, &text))
            .collect();
        found.sort_unstable_by_key(|grant| std::cmp::Reverse(place(grant)));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| Start::After(format!("{}.{}", last.record.created_ms, last.record.id)));
        let ids: Vec<&str> = found.iter().map(|grant| grant.record.id.as_str()).collect();
        let mut clients = clients_made_with(snapshot, &ids);
        let listed = |grant: &Arc<Grant>| ListedGrant {
            record: GrantRecord { last_used_ms: grant.last_used_ms(), ..grant.record.clone() },
            clients: clients.remove(grant.record.id.as_str()).unwrap_or_default(),
        };
        Ok(Page { items: found.into_iter().map(listed).collect(), next })
    }

    /// Clients that were made with these grants, by grant, ascending; at most [`MOST_NAMED_CLIENTS`] of each.
    pub fn clients_of_grants(&self, ids: &[&str]) -> BTreeMap<String, Vec<String>> {
        clients_made_with(&self.directory(), ids)
    }
}

fn clients_made_with(snapshot: &Snapshot, ids: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut clients_by_grant = BTreeMap::<String, Vec<String>>::new();
    if ids.is_empty() {
        return clients_by_grant;
    }
    for client in snapshot.clients("") {
        if let Some(id) = client.grant().filter(|id| ids.contains(id)) {
            let clients = clients_by_grant.entry(id.to_owned()).or_default();
            if clients.len() < MOST_NAMED_CLIENTS {
                clients.push(client.id());
            }
        }
    }
    clients_by_grant
}

/// Where a grant stands in the list, counted from its end.
fn place(grant: &Grant) -> (i64, &str) {
    (grant.record.created_ms, grant.record.id.as_str())
}

/// Where a page begins; a start that is none of ours is the beginning.
fn position(start: &Start) -> Option<(i64, &str)> {
    match start {
        Start::After(text) => text.split_once('.').and_then(|(created_ms, id)| Some((created_ms.parse().ok()?, id))),
        Start::Offset(_) => None,
    }
}

fn fits(grant: &GrantRecord, text: &str) -> bool {
    let parts = [&grant.identity, &grant.target_origin, &grant.label, &grant.id];
    text.is_empty()
        || parts.into_iter().chain(&grant.name).chain(&grant.purpose).chain(&grant.parent).any(|part| part.to_lowercase().contains(text))
}
