//! What applications say of themselves in JSON (RFC 7591 section 2), in a document or where they register: how its members are read, and what bounds them.
//!
//! Both say the same things in the same words, and differ in what becomes of a mistake: a document is passed over as a whole, and a registration is told which member it is.

use falconer_auth::is_unseen;
use falconer_wire::scope_text;
use serde_json::{Map, Value};

use crate::consent::request::{LONGEST_SCOPE, MOST_SCOPES};

/// Longest name, in bytes.
pub(crate) const LONGEST_NAME: usize = 100;
/// Most redirect URIs of one application.
pub(crate) const MOST_REDIRECTS: usize = 20;

/// What is wrong with a member: its name, and the end of a sentence about it, without a full stop.
#[derive(Debug)]
pub(crate) struct WrongMember {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
}

/// A member that is `null` says nothing (RFC 7592 section 2.2).
pub(crate) fn member<'m>(metadata: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    metadata.get(name).filter(|value| !value.is_null())
}

pub(crate) fn text<'m>(metadata: &'m Map<String, Value>, name: &'static str) -> Result<Option<&'m str>, WrongMember> {
    match member(metadata, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(WrongMember { name, why: "is not a text" }),
    }
}

/// What is not there is false.
pub(crate) fn flag(metadata: &Map<String, Value>, name: &'static str) -> Result<bool, WrongMember> {
    match member(metadata, name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(WrongMember { name, why: "is neither true nor false" }),
    }
}

pub(crate) fn texts<'m>(metadata: &'m Map<String, Value>, name: &'static str) -> Result<Option<Vec<&'m str>>, WrongMember> {
    match member(metadata, name) {
        None => Ok(None),
        Some(Value::Array(all)) if all.iter().all(Value::is_string) => Ok(Some(all.iter().filter_map(Value::as_str).collect())),
        Some(_) => Err(WrongMember { name, why: "is not a list of texts" }),
    }
}

/// The first of these lists that is there and lacks what is needed of it: the name, and what it lacks.
pub(crate) fn lacking(metadata: &Map<String, Value>) -> Result<Option<(&'static str, &'static str)>, WrongMember> {
    for (name, needed) in [("grant_types", "authorization_code"), ("response_types", "code")] {
        if texts(metadata, name)?.is_some_and(|has| !has.contains(&needed)) {
            return Ok(Some((name, needed)));
        }
    }
    Ok(None)
}

/// Whether a name can be shown, and not be read as something else.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(is_unseen)
}

/// The value of `scope` as it stands there; `None`: it is no list of scopes, or has too many.
pub(crate) fn scopes(text: &str) -> Option<Vec<String>> {
    let is_scope = |scope: &String| scope.len() <= LONGEST_SCOPE && falconer_scopes::is_valid_scope(scope);
    scope_text::read(text).filter(|scopes| scopes.len() <= MOST_SCOPES && scopes.iter().all(is_scope))
}
