//! Many records in one step.

use std::collections::{BTreeMap, BTreeSet};

use falconer_store::{ChangeKind, ClientRecord, KeyKind, RoleRecord, Sealer, StoreError};

use crate::aggregates::{clients, roles};
use crate::connection::columns::at_once;
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

/// What happens to one record: its kind, its id, what the feed says, what the audit says.
type RecordChange<'r> = (KeyKind, &'r str, ChangeKind, &'static str);

pub(crate) async fn write(writing: &mut Writing<'_>, sealer: &Sealer, roles: &[RoleRecord], clients: &[ClientRecord]) -> Res<()> {
    let distinct_roles: BTreeSet<&str> = roles.iter().map(|role| role.role_id.as_str()).collect();
    let distinct_clients: BTreeSet<&str> = clients.iter().map(|client| client.client_id.as_str()).collect();
    if distinct_roles.len() < roles.len() || distinct_clients.len() < clients.len() {
        return Err(StoreError::Conflict.into());
    }
    let mut changes = put_roles(writing, roles).await?;
    changes.extend(put_clients(writing, sealer, clients).await?);
    writing.changed_in_batch(&changes);
    Ok(())
}

async fn put_roles<'r>(writing: &Writing<'_>, roles: &'r [RoleRecord]) -> Res<Vec<RecordChange<'r>>> {
    let ids: Vec<&str> = roles.iter().map(|role| role.role_id.as_str()).collect();
    let stored = roles::among(&writing.transaction, &ids).await?;
    let stored: BTreeMap<&str, &RoleRecord> = stored.iter().map(|role| (role.role_id.as_str(), role)).collect();
    let mut changes = Vec::new();
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for role in roles {
        match stored.get(role.role_id.as_str()) {
            None => {
                new.push(roles::add(&writing.transaction, role));
                changes.push((KeyKind::Role, role.role_id.as_str(), ChangeKind::Created, "created"));
            }
            Some(stored) if *stored == role => {}
            Some(_) => {
                changed.push(roles::replace(&writing.transaction, role));
                changes.push((KeyKind::Role, role.role_id.as_str(), ChangeKind::Updated, "updated"));
            }
        }
    }
    at_once(new).await?;
    at_once(changed).await?;
    Ok(changes)
}

async fn put_clients<'r>(writing: &Writing<'_>, sealer: &Sealer, clients: &'r [ClientRecord]) -> Res<Vec<RecordChange<'r>>> {
    let ids: Vec<&str> = clients.iter().map(|client| client.client_id.as_str()).collect();
    let stored = clients::among(&writing.transaction, sealer, &ids).await?;
    let stored: BTreeMap<&str, &ClientRecord> = stored.iter().map(|client| (client.client_id.as_str(), client)).collect();
    let mut changes = Vec::new();
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for client in clients {
        let Some(stored) = stored.get(client.client_id.as_str()) else {
            new.push(clients::add(&writing.transaction, sealer, client));
            changes.push((KeyKind::Client, client.client_id.as_str(), ChangeKind::Created, "created"));
            continue;
        };
        let written = client.written_over(stored);
        if **stored == written {
            continue;
        }
        changed.push(clients::replace(&writing.transaction, sealer, client));
        let action = if stored.access_token == written.access_token { "updated" } else { "access token set" };
        changes.push((KeyKind::Client, client.client_id.as_str(), ChangeKind::Updated, action));
    }
    at_once(new).await?;
    at_once(changed).await?;
    Ok(changes)
}
