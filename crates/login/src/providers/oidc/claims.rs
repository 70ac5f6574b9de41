//! What the claims say of a person.

use serde_json::{Map, Value};

use super::settings::ClaimNames;
use crate::providers::error::{ProviderError, short};
use crate::providers::mapping::MOST_GROUPS;
use crate::providers::provider::Attributes;
use crate::providers::shown_name::shown_name;

/// Who somebody is, where nothing else is configured.
pub(super) const SUB: &str = "sub";

/// As long as OpenID Connect allows, in characters.
const LONGEST_SUBJECT: usize = 255;

/// What the claims say. A claim of a wrong type is no claim to go on with: whoever configured it meant another.
pub(crate) fn attributes(claims: &Map<String, Value>, names: &ClaimNames) -> Result<Attributes, ProviderError> {
    let subject = subject(claims, &names.subject)?;
    let email = text(claims, "email")?;
    let email_verified = match claims.get("email_verified") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(verified)) => *verified,
        Some(_) => return Err(wrong("email_verified", "true or false")),
    };
    let username = text(claims, &names.username)?;
    let groups = groups(claims, &names.groups)?;
    let name = text(claims, "name").ok().flatten();
    let display_name =
        [name, username.clone(), email.clone()].into_iter().flatten().map(|name| shown_name(&name)).find(|name| !name.is_empty());
    let display_name = display_name.unwrap_or_else(|| shown_name(&subject));
    Ok(Attributes { subject, display_name, username, email, email_verified, groups })
}

fn subject(claims: &Map<String, Value>, name: &str) -> Result<String, ProviderError> {
    let subject = match claims.get(name) {
        Some(Value::String(subject)) => subject,
        _ if name == SUB => return Err(ProviderError::Claim("sub")),
        _ => return Err(ProviderError::SubjectClaim(short(name))),
    };
    if subject.is_empty() {
        return Err(ProviderError::Subject("it is empty"));
    }
    if subject.chars().count() > LONGEST_SUBJECT {
        return Err(ProviderError::Subject("it is longer than 255 characters"));
    }
    // OpenID Connect says ASCII; what can't be typed or seen is nobody's name.
    if !subject.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(ProviderError::Subject("it is not printable ASCII"));
    }
    // What an application of the provider writes into a claim of its own is not held to what OpenID Connect says of `sub`: a star is everybody here.
    if name != SUB && (subject.contains('*') || subject.trim() != subject) {
        return Err(ProviderError::Subject("it holds a star, or spaces at its ends"));
    }
    Ok(subject.to_owned())
}

fn text(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, ProviderError> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(name, "text")),
    }
}

/// A list of texts at the end of the path. A path that leads nowhere: no groups, as most providers say it.
fn groups(claims: &Map<String, Value>, path: &[String]) -> Result<Vec<String>, ProviderError> {
    let claim = || path.join(" > ");
    let Some((first, members)) = path.split_first() else { return Ok(Vec::new()) };
    let mut found = claims.get(first);
    for member in members {
        found = match found {
            None | Some(Value::Null) => None,
            Some(Value::Object(inside)) => inside.get(member),
            Some(_) => return Err(wrong(&claim(), "an object with this member")),
        };
    }
    let list = match found {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong(&claim(), "a list of texts")),
    };
    let texts = list.iter().map(|group| group.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    let mut texts = texts.ok_or_else(|| wrong(&claim(), "a list of texts"))?;
    // Beyond it nothing is even sorted.
    if texts.len() > 10 * MOST_GROUPS {
        return Err(ProviderError::TooManyGroups(MOST_GROUPS));
    }
    texts.sort_unstable();
    texts.dedup();
    Ok(texts)
}

fn wrong(claim: &str, expected: &'static str) -> ProviderError {
    ProviderError::ClaimType { claim: claim.to_owned(), expected }
}
