//! The crates that are linked into ours or build them, as `cargo metadata` resolves them; without what only tests use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::run::{cargo_program, root};

/// What is linked, and our own crates.
pub struct Graph {
    pub linked: Vec<Package>,
    pub ours: Vec<Ours>,
}

/// A crate of anybody.
#[derive(Clone, Debug, Default)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// An SPDX expression.
    pub license: Option<String>,
    /// Where it comes from; none for our own.
    pub source: Option<String>,
}

/// A crate of this workspace.
pub struct Ours {
    pub name: String,
    pub folder: PathBuf,
    pub dependencies: Vec<Dependency>,
}

/// An entry of its manifest.
pub struct Dependency {
    /// As the manifest has it.
    pub name: String,
    /// As the source calls it.
    pub library: String,
    pub for_tests: bool,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Node>,
    resolve: Resolve,
    workspace_members: Vec<String>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    manifest_path: PathBuf,
    dependencies: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    rename: Option<String>,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Resolved>,
}

#[derive(Deserialize)]
struct Resolved {
    id: String,
    deps: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    /// What the library is called.
    name: String,
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Graph {
    /// Asks cargo, for a target such as `x86_64-unknown-linux-gnu`.
    pub fn read(target: &str) -> Result<Graph> {
        let output = Command::new(cargo_program())
            .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target])
            .current_dir(root())
            .output()
            .context("can't run cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        }
        Graph::of(serde_json::from_slice(&output.stdout).context("cargo metadata printed something else than it should")?)
    }

    fn of(metadata: Metadata) -> Result<Graph> {
        let packages: BTreeMap<&str, &Node> = metadata.packages.iter().map(|node| (node.id.as_str(), node)).collect();
        let links: BTreeMap<&str, &Vec<Link>> = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), &node.deps)).collect();
        let (mut seen, mut next) = (BTreeSet::new(), metadata.workspace_members.iter().map(String::as_str).collect::<Vec<_>>());
        while let Some(id) = next.pop() {
            if seen.insert(id) {
                let linked = |link: &&Link| link.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
                next.extend(links.get(id).into_iter().copied().flatten().filter(linked).map(|link| link.pkg.as_str()));
            }
        }
        let linked = seen.iter().filter_map(|id| packages.get(id)).map(|node| Package {
            name: node.name.clone(),
            version: node.version.clone(),
            license: node.license.clone(),
            source: node.source.clone(),
        });
        let linked: Vec<Package> = linked.collect();
        let ours = metadata.workspace_members.iter().map(|id| {
            let node = packages.get(id.as_str()).with_context(|| format!("no package {id}"))?;
            let folder = node.manifest_path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
            let library = |entry: &Entry| {
                let of = |link: &&Link| packages.get(link.pkg.as_str()).is_some_and(|package| package.name == entry.name);
                let said = links.get(id.as_str()).into_iter().copied().flatten().find(of).map(|link| link.name.clone());
                entry.rename.clone().or(said).unwrap_or_else(|| entry.name.clone()).replace('-', "_")
            };
            let dependencies = node.dependencies.iter().filter(|entry| entry.kind.as_deref() != Some("build"));
            let dependencies = dependencies.map(|entry| Dependency {
                name: entry.rename.clone().unwrap_or_else(|| entry.name.clone()),
                library: library(entry),
                for_tests: entry.kind.as_deref() == Some("dev"),
            });
            Ok(Ours { name: node.name.clone(), folder, dependencies: dependencies.collect() })
        });
        let ours = ours.collect::<Result<_>>()?;
        Ok(Graph { linked, ours })
    }
}
