//! `cargo xtask check`: the allowed arrows of ARCHITECTURE.md against the real dependency graph, the reference pages against
//! the table of the API, and a few rules that only a reader
//! of files can hold. Sizes of files only warn.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::generate;
use crate::run::root;

/// Who may depend on whom, by folder name. Development dependencies are free: a test may use what it exercises.
const ALLOWED: &[(&str, &[&str])] = &[
    ("scopes", &[]),
    ("credentials", &["scopes"]),
    ("wire", &["scopes"]),
    ("store", &["scopes"]),
    ("store-sqlite", &["store", "scopes"]),
    ("store-postgres", &["store", "scopes"]),
    ("auth", &["scopes", "credentials", "store"]),
    ("login", &["scopes", "credentials", "store", "auth", "wire"]),
    ("web", &["auth", "login", "wire", "scopes"]),
    ("client", &["wire", "credentials", "scopes"]),
    ("middleware", &["client", "wire", "scopes"]),
    ("gateway", &["middleware", "client"]),
    ("notes", &["middleware", "client", "scopes"]),
];

/// Those that may use everything, because nothing depends on them.
const FREE: &[&str] = &["falconer", "falconer-benches", "xtask"];

/// Lines of production code above which a file gets a warning.
const LONG_FILE: usize = 400;

pub fn run() -> Result<()> {
    let mut faults = arrows()?;
    faults.extend(generate::faults()?);
    let files = tracked_files()?;
    faults.extend(files.iter().filter_map(|file| template_fault(file)));
    for file in &files {
        warn_if_long(file);
    }
    if faults.is_empty() {
        println!("check: arrows, templates and reference pages hold");
        return Ok(());
    }
    bail!("{} faults:\n  {}", faults.len(), faults.join("\n  "))
}

fn arrows() -> Result<Vec<String>> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .context("can't run cargo metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
    let packages = metadata.get("packages").and_then(|p| p.as_array()).context("cargo metadata names no packages")?;
    let allowed: BTreeMap<String, &[&str]> = ALLOWED.iter().map(|(name, to)| (format!("falconer-{name}"), *to)).collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = text(package, "name");
        let Some(targets) = allowed.get(name) else {
            if !FREE.contains(&name) {
                faults.push(format!("{name} is not in the table of allowed arrows (xtask/src/check.rs, ARCHITECTURE.md)"));
            }
            continue;
        };
        for dependency in package.get("dependencies").and_then(|d| d.as_array()).into_iter().flatten() {
            let to = text(dependency, "name");
            let kind = text(dependency, "kind");
            let ours = to.strip_prefix("falconer-").or((to == "falconer").then_some(to));
            if let (Some(short), false) = (ours, kind == "dev")
                && !targets.contains(&short)
            {
                faults.push(format!("{name} -> {to} is not an allowed arrow"));
            }
        }
    }
    Ok(faults)
}

fn text<'a>(value: &'a serde_json::Value, key: &str) -> &'a str {
    value.get(key).and_then(|v| v.as_str()).unwrap_or_default()
}

fn tracked_files() -> Result<Vec<PathBuf>> {
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output().context("can't run git ls-files")?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from).collect())
}

/// Templates escape everything; `|safe` would switch that off.
fn template_fault(file: &Path) -> Option<String> {
    let is_template = file.components().any(|part| part.as_os_str() == "templates");
    let content = is_template.then(|| std::fs::read_to_string(root().join(file)).ok()).flatten()?;
    let marked: Vec<&str> = content.lines().filter(|line| line.replace(' ', "").contains("|safe")).collect();
    // The one place: Markdown that our own allow-list has rendered.
    let unexpected = marked.iter().filter(|line| !line.contains("{{ description|safe }}")).count();
    (unexpected > 0).then(|| format!("{} switches escaping off with |safe", file.display()))
}

fn warn_if_long(file: &Path) {
    let production = file.extension().is_some_and(|e| e == "rs") && !file.components().any(|part| part.as_os_str() == "tests");
    if !production {
        return;
    }
    let Ok(content) = std::fs::read_to_string(root().join(file)) else { return };
    let lines = content.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    if lines > LONG_FILE {
        println!("warning: {} has {lines} lines of production code (above {LONG_FILE}: one concept a file?)", file.display());
    }
}
