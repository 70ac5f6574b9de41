//! What sections of all kinds have in common.

use std::ops::Deref;

use falconer_login::mapping::{Attribute, Mapping};
use falconer_store::Secret;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::scim::ScimSection;
use crate::config::SecretText;

/// A section of one kind.
pub trait Section {
    /// First part of identities and of the path below `/login`; never reused for another kind or issuer.
    fn name(&self) -> &str;

    /// What the button says.
    fn label(&self) -> &str;

    /// How often people are asked about without them, such as `1 hour`.
    fn refresh(&self) -> Option<&str>;

    /// What the directory behind it may push.
    fn scim(&self) -> Option<&ScimSection> {
        None
    }

    /// What is wrong with the rest, if anything, as far as nobody has to be asked.
    fn check(&self) -> Result<(), String>;
}

/// Nobody is asked about more often.
const SHORTEST_REFRESH_MS: i64 = 60_000;

/// How often, in milliseconds.
pub(super) fn refresh_ms(text: Option<&str>) -> Result<Option<i64>, String> {
    let Some(text) = text else { return Ok(None) };
    let ms = falconer_wire::time_expression::parse_ms(text).map_err(|error| format!("refresh: write something like `1 hour`: {error}"))?;
    if ms < SHORTEST_REFRESH_MS {
        return Err(format!("refresh: `{text}` is too often; once a minute is the most"));
    }
    Ok(Some(ms))
}

/// A section that was checked.
#[derive(Clone, Debug)]
pub struct Checked<S>(Box<S>);

impl<S> Deref for Checked<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

impl<'de, S: Section + Deserialize<'de>> Deserialize<'de> for Checked<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let section = S::deserialize(deserializer)?;
        let wrong = |why| D::Error::custom(format!("provider {}: {why}", section.name()));
        falconer_login::check_provider_name(section.name()).map_err(wrong)?;
        let label = section.label();
        if label.trim().is_empty() || label.chars().count() > 60 || label.chars().any(char::is_control) {
            return Err(wrong("label: write a name for people to read, 60 characters at most".to_owned()));
        }
        refresh_ms(section.refresh()).map_err(wrong)?;
        section.scim().map_or(Ok(()), ScimSection::check).map_err(wrong)?;
        section.check().map_err(wrong)?;
        Ok(Checked(Box::new(section)))
    }
}

/// Only GitHub's people are in organisations: elsewhere their names in a template would never give anything.
pub(super) fn without_organisations(mapping: &Mapping) -> Result<(), String> {
    match mapping.templates().iter().find(|template| template.names(Attribute::Org)) {
        Some(template) => Err(format!("scopes: {:?} names {{org}}, which only a provider of the kind `github` has", template.text())),
        None => Ok(()),
    }
}

/// A secret that is written in one of two places.
pub(super) fn one_of<T>(name: &str, written: Option<&SecretText>, file: Option<&T>) -> Result<(), String> {
    if written.is_some() && file.is_some() { Err(format!("give either {name} or {name}_file")) } else { Ok(()) }
}

/// The secret, for checks: one that lies in a file is not there yet.
pub(super) fn for_checks<T>(written: Option<&SecretText>, file: Option<&T>) -> Option<Secret> {
    written.map(|secret| Secret::new(secret.expose())).or_else(|| file.map(|_| Secret::new("in a file")))
}
