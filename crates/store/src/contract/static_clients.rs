//! What [`Store::replace_static_clients`](crate::Store::replace_static_clients) comes to, for backends: they only write it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ChangeKind, ClientRecord, Result, StoreError};

/// What is to be done to one client.
#[derive(Debug, Clone, PartialEq)]
pub enum StaticChange {
    /// Add it.
    Add(ClientRecord),
    /// Write it over the one with its id.
    Replace(ClientRecord),
    /// Remove the one of this id.
    Remove(String),
}

impl StaticChange {
    /// Which client.
    pub fn client_id(&self) -> &str {
        match self {
            StaticChange::Add(client) | StaticChange::Replace(client) => &client.client_id,
            StaticChange::Remove(client_id) => client_id,
        }
    }

    /// What the change feed says.
    pub fn kind(&self) -> ChangeKind {
        match self {
            StaticChange::Add(_) => ChangeKind::Created,
            StaticChange::Replace(_) => ChangeKind::Updated,
            StaticChange::Remove(_) => ChangeKind::Deleted,
        }
    }
}

/// What makes the stored clients equal to the list. `stored` are those under `static/` that are not under `static/falconer/`.
///
/// What is equal in description, token, expiry, scopes and flags is left alone; what differs keeps its creation and last use and, unless its token is known to be
/// another one, its last rotation and what was revoked. Errors: [`StoreError::Conflict`] when the list names a client outside of that space, or one twice.
pub fn static_changes(stored: Vec<ClientRecord>, wanted: &[ClientRecord]) -> Result<Vec<StaticChange>> {
    let mut stored: BTreeMap<String, ClientRecord> = stored.into_iter().map(|client| (client.client_id.clone(), client)).collect();
    let mut named = BTreeSet::new();
    let mut changes = Vec::new();
    for client in wanted {
        let id = client.client_id.as_str();
        if !id.starts_with("static/") || id.starts_with("static/falconer/") || !named.insert(id) {
            return Err(StoreError::Conflict);
        }
        match stored.remove(id) {
            None => changes.push(StaticChange::Add(client.clone())),
            Some(old) if alike(&old, client) => {}
            Some(old) => {
                let other_token = old.access_token.same_as(&client.access_token) == Some(false);
                changes.push(StaticChange::Replace(ClientRecord {
                    created_ms: old.created_ms,
                    last_date_used_ms: old.last_date_used_ms,
                    last_rotated_ms: if other_token { client.last_rotated_ms } else { old.last_rotated_ms },
                    revoked: if other_token { client.revoked.clone() } else { old.revoked },
                    ..client.clone()
                }));
            }
        }
    }
    changes.extend(stored.into_keys().map(StaticChange::Remove));
    Ok(changes)
}

fn alike(stored: &ClientRecord, wanted: &ClientRecord) -> bool {
    stored.description == wanted.description
        && stored.access_token == wanted.access_token
        && stored.expires_us == wanted.expires_us
        && stored.delete_on_expiration == wanted.delete_on_expiration
        && stored.scopes == wanted.scopes
        && stored.disabled == wanted.disabled
        && stored.grant == wanted.grant
}
