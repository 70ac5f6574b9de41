//! expandScopes and currentScopes (`auth-api.md` 8.5).

use falconer_wire::Scopes;

use super::handlers::{Answer, Request};
use super::respond::Reply;

pub(super) fn expand(request: &Request<'_>) -> Answer {
    let given: Scopes = request.input()?;
    let expanded = request.auth.expand_scopes(request.who, &given.scopes)?;
    Ok(Reply::json(&Scopes { scopes: expanded.to_vec() }))
}

pub(super) fn current(request: &Request<'_>) -> Answer {
    Ok(Reply::json(&Scopes { scopes: request.auth.current_scopes(request.who)?.to_vec() }))
}
