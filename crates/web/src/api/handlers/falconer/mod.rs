//! What the protocol has no method for (`/api/falconer/v1`): the revision of a node, events, signing out, why somebody was refused, clients with their grants or tokens, imports, people, applications, derived grants, what services say of their scopes.

pub(crate) mod applications;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod grants;
pub(crate) mod import;
pub(crate) mod list_clients;
pub(crate) mod people;
pub(crate) mod put_client;
pub(crate) mod refresh_person;
pub(crate) mod scope_registries;

use falconer_wire::NodeRevision;

use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request};

/// How far this node is.
pub(crate) fn revision(request: &Request<'_>) -> Reply {
    Reply::json(&NodeRevision { revision: request.auth.revision().0 })
}

/// Whoever has credentials of a grant signs out.
pub(crate) async fn end_grant(request: &Request<'_>) -> Answer {
    let revision = request.auth.end_own_grant(request.who).await?.0;
    Ok(Reply::json(&NodeRevision { revision }).at_revision(revision))
}
