//! `deny.toml`: the part of cargo-deny's format that is used here, and what the graph does that it does not allow. A key that is not known is an error, so
//! that nothing is written down there and not held.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use super::graph::Package;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    graph: Selected,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Selected {
    targets: Vec<String>,
    #[serde(rename = "exclude-dev")]
    _exclude_dev: True,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Licenses {
    allow: BTreeSet<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    #[serde(rename = "multiple-versions")]
    _multiple_versions: Deny,
    skip: Vec<Named>,
    deny: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    #[serde(rename = "unknown-registry")]
    _unknown_registry: Deny,
    #[serde(rename = "unknown-git")]
    _unknown_git: Deny,
    allow_registry: BTreeSet<String>,
}

/// The only value of some keys: others would be allowed by cargo-deny, and are not held here.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Deny {
    Deny,
}

/// The same for a key that is yes or no.
struct True;

impl<'de> Deserialize<'de> for True {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<True, D::Error> {
        bool::deserialize(deserializer)?.then_some(True).ok_or_else(|| serde::de::Error::custom("only `true` is held here"))
    }
}

impl Rules {
    pub fn read(text: &str) -> Result<Rules> {
        toml::from_str(text).context("deny.toml")
    }

    /// The platform whose dependencies count.
    pub fn target(&self) -> Result<&str> {
        self.graph.targets.first().map(String::as_str).context("deny.toml names no target")
    }

    /// What these crates do that is not allowed, and entries that nothing needs any more.
    pub fn faults(&self, packages: &[Package]) -> Vec<String> {
        let mut faults = Vec::new();
        faults.extend(packages.iter().filter_map(|package| self.license(package)));
        faults.extend(packages.iter().filter_map(|package| self.source(package)));
        let there: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        let denied = self.bans.deny.iter().filter(|entry| there.contains(entry.name.as_str()));
        faults.extend(denied.map(|entry| format!("{} is denied: {}", entry.name, entry.reason)));

        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in packages {
            versions.entry(&package.name).or_default().insert(&package.version);
        }
        let skipped: BTreeSet<&str> = self.bans.skip.iter().map(|entry| entry.name.as_str()).collect();
        for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
            if !skipped.contains(name) {
                faults.push(format!(
                    "{name} is there in {} versions: {}",
                    versions.len(),
                    versions.iter().copied().collect::<Vec<_>>().join(", ")
                ));
            }
        }
        let once = |name: &&str| versions.get(name).is_none_or(|versions| versions.len() < 2);
        faults.extend(skipped.iter().copied().filter(|name| once(name)).map(|name| format!("deny.toml skips {name}, which is there once")));
        let gone = self.licenses.exceptions.iter().filter(|entry| !there.contains(entry.name.as_str()));
        faults.extend(gone.map(|entry| format!("deny.toml has an exception for {}, which is not there", entry.name)));
        faults
    }

    fn license(&self, package: &Package) -> Option<String> {
        // Our own, whose licence is ours to say.
        package.source.as_ref()?;
        let Package { name, license, .. } = package;
        let Some(license) = license else { return Some(format!("{name} names no licence")) };
        let expression = match Expression::parse_mode(license, ParseMode::LAX) {
            Ok(expression) => expression,
            Err(error) => return Some(format!("{name}: `{license}` is no licence: {}", error.reason)),
        };
        let exception = self.licenses.exceptions.iter().find(|exception| exception.name == *name);
        let allowed = |wanted: &LicenseReq| {
            let id = wanted.license.id().map(|id| id.name).unwrap_or_default();
            wanted.addition.is_none() && (self.licenses.allow.contains(id) || exception.is_some_and(|e| e.allow.contains(id)))
        };
        (!expression.evaluate(allowed)).then(|| format!("{name}: the licence {license} is not allowed"))
    }

    fn source(&self, package: &Package) -> Option<String> {
        let source = package.source.as_deref()?;
        let registry = source.strip_prefix("registry+").or_else(|| source.strip_prefix("sparse+"));
        (!registry.is_some_and(|url| self.sources.allow_registry.contains(url))).then(|| format!("{} comes from {source}", package.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        graph = { targets = ["x86_64-unknown-linux-gnu"], exclude-dev = true }
        licenses = { allow = ["MIT", "Apache-2.0"], exceptions = [{ crate = "maps", allow = ["MPL-2.0"] }] }
        sources = { unknown-registry = "deny", unknown-git = "deny", allow-registry = ["https://github.com/rust-lang/crates.io-index"] }
        [bans]
        multiple-versions = "deny"
        skip = [{ crate = "twice", reason = "a is behind" }]
        deny = [{ crate = "rsa", reason = "its decryption can be timed" }]
    "#;

    fn package(name: &str, version: &str, license: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            license: Some(license.to_owned()),
            source: Some("registry+https://github.com/rust-lang/crates.io-index".to_owned()),
        }
    }

    #[test]
    fn what_is_allowed_passes() {
        let packages = [
            package("a", "1.0.0", "(MIT OR GPL-3.0-only) AND Apache-2.0"),
            package("b", "1.0.0", "Zlib/MIT"),
            package("maps", "1.0.0", "MPL-2.0+"),
            package("twice", "1.0.0", "MIT"),
            package("twice", "2.0.0", "MIT"),
            Package { name: "ours".to_owned(), ..Package::default() },
        ];
        assert_eq!(Rules::read(RULES).unwrap().faults(&packages), Vec::<String>::new());
    }

    #[test]
    fn licences_versions_sources_and_stale_entries_are_said() {
        let elsewhere = Package { source: Some("git+https://example.com/x".to_owned()), ..package("forked", "1.0.0", "MIT") };
        let packages = [
            package("a", "1.0.0", "MIT AND GPL-3.0-only"),
            package("b", "1.0.0", "MPL-2.0"),
            Package { license: None, ..package("c", "1.0.0", "") },
            package("rsa", "0.9.0", "MIT"),
            package("d", "1.0.0", "MIT"),
            package("d", "2.0.0", "MIT"),
            elsewhere,
        ];
        assert_eq!(
            Rules::read(RULES).unwrap().faults(&packages),
            [
                "a: the licence MIT AND GPL-3.0-only is not allowed",
                "b: the licence MPL-2.0 is not allowed",
                "c names no licence",
                "forked comes from git+https://example.com/x",
                "rsa is denied: its decryption can be timed",
                "d is there in 2 versions: 1.0.0, 2.0.0",
                "deny.toml skips twice, which is there once",
                "deny.toml has an exception for maps, which is not there",
            ]
        );
    }

    #[test]
    fn what_is_not_held_may_not_be_written_down() {
        assert!(Rules::read(&RULES.replace("unknown-git = \"deny\"", "unknown-git = \"warn\"")).is_err());
        assert!(Rules::read(&format!("{RULES}\nwildcards = \"deny\"\n")).is_err());
        assert!(Rules::read(&RULES.replace("exclude-dev = true", "exclude-dev = false")).is_err());
    }
}
