//! What the protocol has no method for (`/api/falconer/v1`): the revision of a node, events, why somebody was refused, clients with their grants or tokens, imports, people, applications.

pub(crate) mod applications;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod list_clients;
pub(crate) mod people;
pub(crate) mod put_client;
pub(crate) mod refresh_person;

use falconer_wire::NodeRevision;

use crate::api::answer::reply::Reply;
use crate::api::handlers::Request;

/// How far this node is.
pub(crate) fn revision(request: &Request<'_>) -> Reply {
    Reply::json(&NodeRevision { revision: request.auth.revision().0 })
}
