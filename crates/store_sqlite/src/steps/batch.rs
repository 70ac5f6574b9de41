//! Many records in one step.

use std::collections::BTreeSet;

use falconer_store::{ClientRecord, KeyKind, RoleRecord, Sealer, StoreError};

use crate::aggregates::{clients, roles};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

pub(crate) fn write(writing: &mut Writing<'_>, sealer: &Sealer, roles: &[RoleRecord], clients: &[ClientRecord]) -> Res<()> {
    let distinct_roles: BTreeSet<&str> = roles.iter().map(|role| role.role_id.as_str()).collect();
    let distinct_clients: BTreeSet<&str> = clients.iter().map(|client| client.client_id.as_str()).collect();
    if distinct_roles.len() < roles.len() || distinct_clients.len() < clients.len() {
        return Err(StoreError::Conflict.into());
    }
    for role in roles {
        if let Some(what) = roles::put_differing(writing.connection, role)? {
            writing.changed_in_batch(KeyKind::Role, &role.role_id, what, what.as_str())?;
        }
    }
    for client in clients {
        if let Some((what, action)) = clients::put_differing(writing.connection, sealer, client)? {
            writing.changed_in_batch(KeyKind::Client, &client.client_id, what, action)?;
        }
    }
    Ok(())
}
