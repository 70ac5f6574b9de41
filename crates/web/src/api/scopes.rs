//! expandScopes and currentScopes (`auth-api.md` 8.5).

use falconer_wire::Scopes;

use super::handlers::{Answer, Request};
use super::respond::Reply;

pub(super) fn expand(request: &Request<'_>) -> Answer {
    let given: Scopes = request.input()?;
    Ok(Reply::scopes(request.auth.expand_scopes(request.who, &given.scopes)?))
}

pub(super) fn current(request: &Request<'_>) -> Answer {
    Ok(Reply::scopes(request.auth.current_scopes(request.who)?))
}
