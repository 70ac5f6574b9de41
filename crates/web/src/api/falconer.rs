//! What the protocol has no method for (`/api/falconer/v1`).

use falconer_wire::NodeRevision;

use super::handlers::Request;
use super::respond::Reply;

/// How far this node is.
pub(super) fn revision(request: &Request<'_>) -> Reply {
    Reply::json(&NodeRevision { revision: request.auth.revision().0 })
}
