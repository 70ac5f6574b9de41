//! What sections of all kinds have in common, and how a section is read: the common settings for themselves, and what the kind has besides. serde can't
//! refuse unknown keys through a flattened struct, so that the table is divided here.

use std::collections::BTreeMap;
use std::ops::Deref;

use falconer_login::mapping::{Attribute, Mapping, Template};
use falconer_store::Secret;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::scim::ScimSection;
use crate::config::SecretText;
use crate::config::reading::misfit::Misfit;

/// The settings that several kinds have.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// First part of identities and of the path below `/login`; never reused for another kind, issuer or directory.
    pub name: String,
    /// What the button says; by default the name.
    pub label: Option<String>,
    /// How often the provider is asked about people without them, such as `1 hour`; without it only when they sign in.
    pub refresh: Option<String>,
    /// Templates of what each person gets.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Groups that count; a star at the end stands for any end. Without the list, all.
    pub groups: Option<Vec<String>>,
    /// Prefixes of groups, and what the rest of such a name gives instead of what `scopes` say.
    #[serde(default)]
    pub group_prefixes: BTreeMap<String, String>,
    /// Whether an address that the provider has verified is the person's.
    #[serde(default)]
    pub authoritative_email: bool,
    /// What the directory behind it may push.
    pub scim: Option<ScimSection>,
}

/// The settings that every kind has.
const ALWAYS: [&str; 2] = ["name", "scopes"];

/// What one kind has besides.
pub trait Kind: DeserializeOwned {
    /// The common settings that it has, besides those that every kind has.
    const COMMON: &'static [&'static str];

    /// Whether addresses count without `authoritative_email`.
    const ADDRESSES_COUNT: bool = false;

    /// What is wrong with the templates, if anything, because of what people of this kind have.
    fn check_mapping(mapping: &Mapping) -> Result<(), String>;

    /// What is wrong with the rest, if anything, as far as nobody has to be asked.
    fn check(section: &Section<Self>) -> Result<(), String>;
}

/// A section of one kind that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Section<K> {
    common: Common,
    kind: Box<K>,
}

impl<K> Section<K> {
    /// The settings that several kinds have.
    pub fn common(&self) -> &Common {
        &self.common
    }
}

impl<K: Kind> Section<K> {
    /// What attributes give.
    pub fn mapping(&self) -> Result<Mapping, String> {
        let Common { scopes, groups, group_prefixes, authoritative_email, .. } = &self.common;
        let mapping = Mapping::new(scopes, group_prefixes.clone(), groups.clone(), *authoritative_email || K::ADDRESSES_COUNT);
        let mapping = mapping.map_err(|error| error.to_string())?;
        K::check_mapping(&mapping)?;
        Ok(mapping)
    }
}

impl<K> Deref for Section<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.kind
    }
}

impl<'de, K: Kind> Deserialize<'de> for Section<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (common, kind) = divide::<K>(Table::deserialize(deserializer)?);
        let common: Common = read(common, &[]).map_err(D::Error::custom)?;
        let name = common.name.clone();
        let wrong = |why: String| D::Error::custom(format!("provider {name}: {why}"));
        common.check().map_err(wrong)?;
        let besides: Vec<&str> = ALWAYS.iter().chain(K::COMMON).copied().collect();
        let kind: K = read(kind, &besides).map_err(wrong)?;
        let section = Section { common, kind: Box::new(kind) };
        section.mapping().map_err(wrong)?;
        K::check(&section).map_err(wrong)?;
        Ok(section)
    }
}

/// The common settings, and the others. A common one that the kind does not have is among the others, where nobody knows it.
fn divide<K: Kind>(table: Table) -> (Table, Table) {
    table.into_iter().partition(|(key, _)| ALWAYS.iter().chain(K::COMMON).any(|common| common == key))
}

/// What a table holds. Errors: what is wrong, and with which key, in a line; and which name was meant. Who wrote an unknown name is told all that there are,
/// those `besides` too.
fn read<T: DeserializeOwned>(table: Table, besides: &[&str]) -> Result<T, String> {
    table.clone().try_into().map_err(|error: toml::de::Error| {
        let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let Some(misfit @ Misfit::UnknownName { .. }) = Misfit::of::<T>(Value::Table(table)) else { return text };
        let others: Vec<String> = besides.iter().map(|name| format!("`{name}`")).collect();
        let others = if others.is_empty() { String::new() } else { format!("; there are also {}", others.join(", ")) };
        format!("{text}{others}{}", misfit.meant(besides))
    })
}

/// Nobody is asked about more often.
const SHORTEST_REFRESH_MS: i64 = 60_000;

impl Common {
    /// What the button says.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }

    /// How often people are asked about without them, in milliseconds; `None`: only when they sign in.
    pub fn refresh_ms(&self) -> Result<Option<i64>, String> {
        let Some(text) = &self.refresh else { return Ok(None) };
        let ms = falconer_wire::time_expression::parse_ms(text);
        let ms = ms.map_err(|error| format!("refresh: write something like `1 hour`: {error}"))?;
        if ms < SHORTEST_REFRESH_MS {
            return Err(format!("refresh: `{text}` is too often; once a minute is the most"));
        }
        Ok(Some(ms))
    }

    fn check(&self) -> Result<(), String> {
        falconer_login::check_provider_name(&self.name)?;
        let label = self.label();
        if label.trim().is_empty() || label.chars().count() > 60 || label.chars().any(char::is_control) {
            return Err("label: write a name for people to read, 60 characters at most".to_owned());
        }
        self.refresh_ms()?;
        self.scim.as_ref().map_or(Ok(()), ScimSection::check)
    }
}

/// Only GitHub's people are in organisations: elsewhere their names in a template would never give anything.
pub(super) fn without_organisations(mapping: &Mapping) -> Result<(), String> {
    match mapping.templates().iter().find(|template| template.names(Attribute::Org)) {
        Some(template) => Err(format!("scopes: {:?} names {{org}}, which only a provider of the kind `github` has", template.text())),
        None => Ok(()),
    }
}

/// Templates that name anything else than what `who` says would never give anything.
pub(super) fn naming_only(mapping: &Mapping, known: [Attribute; 2], who: &str) -> Result<(), String> {
    let is_known = |template: &Template| Attribute::ALL.into_iter().all(|one| known.contains(&one) || !template.names(one));
    let [first, second] = known.map(Attribute::name);
    match mapping.templates().iter().find(|template| !is_known(template)) {
        Some(template) => Err(format!("scopes: {:?} names what {who} does not say; it says {{{first}}} and {{{second}}}", template.text())),
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
