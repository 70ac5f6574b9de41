//! The real arrows between the crates of the workspace, held against the table.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::table::{Table, allows};

/// A crate of the workspace and the crates of the workspace that it depends on, by folder name. Development dependencies are left out: a test may use
/// what it exercises.
pub struct Crate {
    pub folder: String,
    pub depends_on: Vec<String>,
}

/// Reads what `cargo metadata --no-deps` prints.
pub fn read(metadata: &Value) -> Result<Vec<Crate>> {
    let packages = metadata.get("packages").and_then(Value::as_array).context("cargo metadata names no packages")?;
    packages
        .iter()
        .map(|package| {
            let manifest = Path::new(text(package, "manifest_path"));
            let folder = manifest.parent().and_then(name).context("a manifest lies in a folder")?;
            let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
            let inside = dependencies.filter(|d| text(d, "kind") != "dev").filter_map(|d| name(Path::new(d.get("path")?.as_str()?)));
            Ok(Crate { folder, depends_on: inside.collect() })
        })
        .collect()
}

fn name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What the crates do that the table does not allow, and rows of crates that are gone. `exists` says whether a folder of this name is in the workspace.
pub fn faults(table: &Table, crates: &[Crate], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for one in crates {
        let from = &one.folder;
        if !table.contains_key(from) {
            faults.push(format!("{from} has no row in the table of ARCHITECTURE.md"));
            continue;
        }
        let wrong = one.depends_on.iter().filter(|to| !allows(table, from, to));
        faults.extend(wrong.map(|to| format!("{from} -> {to} is not an arrow of ARCHITECTURE.md")));
    }
    faults
        .extend(table.keys().filter(|name| !exists(name)).map(|name| format!("ARCHITECTURE.md has a row for {name}, which is not there")));
    faults
}

#[cfg(test)]
mod tests {
    use super::super::table;
    use super::*;

    #[test]
    fn arrows_that_the_page_does_not_have_and_rows_without_a_crate_are_faults() {
        let page = "| crate | may depend on |\n| --- | --- |\n| scopes | nothing |\n| store | scopes |\n| gone | scopes |\n";
        let metadata = serde_json::json!({"packages": [
            {"manifest_path": "/w/crates/scopes/Cargo.toml", "dependencies": [
                {"name": "serde", "kind": null}, {"name": "s", "kind": null, "path": "/w/crates/store"}]},
            {"manifest_path": "/w/crates/store/Cargo.toml", "dependencies": [
                {"name": "s", "kind": null, "path": "/w/crates/scopes"}, {"name": "t", "kind": "dev", "path": "/w/crates/tests"}]},
            {"manifest_path": "/w/crates/new/Cargo.toml", "dependencies": []},
        ]});
        let faults = faults(&table::read(page).unwrap(), &read(&metadata).unwrap(), |name| name != "gone");
        assert_eq!(
            faults,
            [
                "scopes -> store is not an arrow of ARCHITECTURE.md",
                "new has no row in the table of ARCHITECTURE.md",
                "ARCHITECTURE.md has a row for gone, which is not there"
            ]
        );
    }
}
