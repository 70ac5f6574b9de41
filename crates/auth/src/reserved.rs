//! What belongs to Falconer itself: `assume:grant:`, roles under `grant:`, clients under `static/falconer/`.

use falconer_scopes::{ScopeSet, covers};

use crate::error::ApiError;

/// Only a certificate of an internal issuer may hold such a scope.
pub(crate) const GRANT_SCOPE: &str = "assume:grant:";
/// Client ids that no configuration and no caller can use.
pub(crate) const FALCONER_CLIENTS: &str = "static/falconer/";
/// Before the number of an internal issuer.
pub(crate) const GRANT_ISSUERS: &str = "static/falconer/grants-";
/// Before the number of a key that signs statements about people: it signs no grant, and no request.
pub(crate) const SIGNING_KEYS: &str = "static/falconer/openid-";
/// The client that may do everything.
pub const ROOT_CLIENT: &str = "static/falconer/root";
/// The one scope that every grant has, so that a frontend can ask what it got.
pub(crate) const CURRENT_SCOPES: &str = "auth:current-scopes";

pub(crate) fn is_reserved_scope(scope: &str) -> bool {
    scope.starts_with(GRANT_SCOPE)
}

/// The 400 that every writer owes to somebody who tries to store such a scope.
pub(crate) fn refuse_reserved<S: AsRef<str>>(scopes: &[S]) -> Result<(), ApiError> {
    if scopes.iter().any(|s| is_reserved_scope(s.as_ref())) { Err(reserved()) } else { Ok(()) }
}

/// The same for a roleId.
pub(crate) fn refuse_reserved_role(role_id: &str) -> Result<(), ApiError> {
    if role_id.starts_with("grant:") { Err(reserved()) } else { Ok(()) }
}

fn reserved() -> ApiError {
    ApiError::InputError("`assume:grant:` is reserved".to_owned())
}

/// The 409 for somebody who decided on a record that has been changed since.
pub(crate) fn refuse_unseen(what: &str, last_modified_ms: i64, seen_ms: Option<i64>) -> Result<(), ApiError> {
    if seen_ms.is_some_and(|seen_ms| seen_ms != last_modified_ms) {
        return Err(ApiError::RequestConflict(format!("The {what} was changed meanwhile")));
    }
    Ok(())
}

/// The reference refuses a scope that ends in `**` wherever one is written, and nowhere else.
fn refuse_double_star<S: AsRef<str>>(scopes: &[S]) -> Result<(), ApiError> {
    if scopes.iter().any(|s| s.as_ref().ends_with("**")) {
        return Err(ApiError::InputError("scopes must not end with `**`".to_owned()));
    }
    Ok(())
}

/// No store can be asked to keep a text with U+0000: PostgreSQL has no place for it.
fn refuse_nul(description: &str) -> Result<(), ApiError> {
    if description.contains('\0') {
        return Err(ApiError::InputError("description must not contain the character U+0000".to_owned()));
    }
    Ok(())
}

/// What is refused of the contents of a client or a role before anybody is asked who they are.
pub(crate) fn check_contents<S: AsRef<str>>(scopes: &[S], description: &str) -> Result<(), ApiError> {
    refuse_double_star(scopes)?;
    refuse_reserved(scopes)?;
    refuse_nul(description)
}

/// The set without such scopes. Substitution in roles can make one although none was put in.
pub(crate) fn without_reserved(scopes: ScopeSet) -> ScopeSet {
    if has_reserved(&scopes) {
        return ScopeSet::new(scopes.iter().filter(|s| !is_reserved_scope(s)));
    }
    scopes
}

/// Whether there are such scopes in a set.
pub(crate) fn has_reserved(scopes: &ScopeSet) -> bool {
    // Nearly no set has any, and then nobody looks at each of its members.
    scopes.meets(GRANT_SCOPE) && scopes.iter().any(is_reserved_scope)
}

/// What of a person's scopes counts. A star over `assume:` would make the person every role at once, so no source may give it.
pub(crate) fn of_person(scopes: &[String]) -> impl Iterator<Item = &str> + Clone {
    scopes.iter().map(String::as_str).filter(|s| !covers(s, "assume:") && !is_reserved_scope(s))
}
