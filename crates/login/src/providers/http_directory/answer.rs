//! How an answer is read: what lies at a path, and what a profile says.

use serde_json::Value;

use super::settings::AnswerPaths;
use crate::providers::error::ProviderError;
use crate::providers::mapping::MOST_GROUPS;
use crate::providers::provider::Attributes;

/// What lies at a path; nothing at an empty one, and nothing where a member is missing or null. Of lists on the way every entry counts.
pub(super) fn all_at<'v>(value: &'v Value, path: &[String]) -> Result<Vec<&'v Value>, ProviderError> {
    let mut found = Vec::new();
    if !path.is_empty() {
        collect(value, path, path, &mut found)?;
    }
    Ok(found)
}

fn collect<'v>(value: &'v Value, rest: &[String], path: &[String], found: &mut Vec<&'v Value>) -> Result<(), ProviderError> {
    match (value, rest.split_first()) {
        (Value::Null, _) => {}
        (Value::Array(entries), _) => {
            for entry in entries {
                collect(entry, rest, path, found)?;
            }
        }
        (value, None) => found.push(value),
        (Value::Object(members), Some((first, rest))) => {
            if let Some(inside) = members.get(first) {
                collect(inside, rest, path, found)?;
            }
        }
        _ => return Err(wrong(path, "inside of an object")),
    }
    Ok(())
}

/// The only thing at a path.
pub(super) fn one_at<'v>(value: &'v Value, path: &[String], expected: &'static str) -> Result<Option<&'v Value>, ProviderError> {
    match all_at(value, path)?.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(wrong(path, expected)),
    }
}

/// A text, of which there is one or none.
pub(super) fn text_at<'v>(value: &'v Value, path: &[String]) -> Result<Option<&'v str>, ProviderError> {
    match one_at(value, path, "one text")? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty()).map(String::as_str)),
        Some(_) => Err(wrong(path, "one text")),
    }
}

/// Every text.
pub(super) fn texts_at<'v>(value: &'v Value, path: &[String]) -> Result<Vec<&'v str>, ProviderError> {
    let texts = all_at(value, path)?.into_iter().map(Value::as_str).collect::<Option<Vec<_>>>();
    texts.ok_or_else(|| wrong(path, "a list of texts"))
}

/// What a profile says; `None`: nobody vouches for the person, where that is required.
pub(super) fn attributes(profile: &Value, paths: &AnswerPaths, require_vouched: bool) -> Result<Option<Attributes>, ProviderError> {
    let vouched = match one_at(profile, &paths.vouched, "true or false")? {
        None => paths.vouched.is_empty(),
        Some(Value::Bool(vouched)) => *vouched,
        Some(_) => return Err(wrong(&paths.vouched, "true or false")),
    };
    if require_vouched && !vouched {
        return Ok(None);
    }
    let username = text_at(profile, &paths.username)?.map(str::to_owned);
    let mut groups: Vec<String> = texts_at(profile, &paths.groups)?.into_iter().map(str::to_owned).collect();
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > MOST_GROUPS {
        return Err(ProviderError::TooManyGroups(MOST_GROUPS));
    }
    // As it was at Mozilla: whoever is not vouched for has a name, and no groups.
    let groups = if vouched { groups } else { Vec::new() };
    Ok(Some(Attributes { subject: username.clone().unwrap_or_default(), username, groups, ..Attributes::default() }))
}

fn wrong(path: &[String], expected: &'static str) -> ProviderError {
    ProviderError::ClaimType { claim: path.join(" > "), expected }
}
