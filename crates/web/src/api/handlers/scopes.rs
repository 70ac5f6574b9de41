//! expandScopes and currentScopes.

use falconer_wire::Scopes;

use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request};

pub(crate) fn expand(request: &Request<'_>) -> Answer {
    let given: Scopes = request.input()?;
    Ok(Reply::scopes(request.auth.expand_scopes(request.who, &given.scopes)?))
}

pub(crate) fn current(request: &Request<'_>) -> Answer {
    Ok(Reply::scopes(request.auth.current_scopes(request.who)?))
}
