//! `cargo xtask check`: what only a reader of files can hold. The arrows between crates against the table of ARCHITECTURE.md, the rooms against its
//! drawing, circles between files, the reference pages against the table of the API, templates, how long files are, and enums that say the same. It prints the
//! drawing of the house as it is.

mod alike;
mod arrows;
mod circles;
mod house;
mod imports;
mod lengths;
mod pages;
mod table;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::generate;
use crate::run::{metadata, root};

/// Crates in which no files may need each other in a circle.
const WITHOUT_CIRCLES: &[&str] = &["auth", "credentials", "store"];

pub fn run() -> Result<()> {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let crates = arrows::read(&metadata()?)?;
    let exists = |name: &str| ["", "crates", "examples"].iter().any(|place| root().join(place).join(name).is_dir());
    let mut faults = arrows::faults(&table::read(&page)?, &crates, exists);

    let rooms = house::read(&folders(&crates))?;
    println!("{}\n", house::draw(&rooms));
    faults.extend(house::faults(&rooms, &page));
    for name in WITHOUT_CIRCLES {
        faults.extend(circles::faults(name, &sources(&root().join("crates").join(name).join("src"))?)?);
    }
    faults.extend(house::full_folders(&rooms));

    faults.extend(generate::faults()?);
    let files = tracked_files()?;
    faults.extend(files.iter().filter_map(|file| template_fault(file)));
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "rs")) {
        let content = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        faults.extend(pages::faults(file, &content, &files));
    }
    let contents = || files.iter().filter_map(|file| Some((file.as_path(), std::fs::read_to_string(root().join(file)).ok()?)));
    faults.extend(lengths::faults(contents()));
    faults.extend(alike::faults(contents())?);
    faults.extend(words::faults(contents())?);
    if faults.is_empty() {
        println!(
            "check: arrows, rooms, circles, templates, pages that comments name, lengths of files, enums, words and reference pages hold"
        );
        return Ok(());
    }
    bail!("{} faults:\n  {}", faults.len(), faults.join("\n  "))
}

/// The crates' folders from the root, those of the product first.
fn folders(crates: &[arrows::Crate]) -> Vec<String> {
    let place = |name: &str| {
        ["crates/", "examples/", ""].iter().map(|place| format!("{place}{name}")).find(|path| root().join(path).join("Cargo.toml").exists())
    };
    let mut folders: Vec<String> = crates.iter().filter_map(|one| place(&one.folder)).collect();
    folders.sort_by_key(|folder| (!folder.starts_with("crates/"), folder.clone()));
    folders
}

/// Every file of a crate by its module path, without files that hold only tests.
fn sources(src: &Path) -> Result<circles::Files> {
    let mut files = circles::Files::new();
    let mut folders = vec![(src.to_path_buf(), Vec::new())];
    while let Some((folder, module)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push((path, [&module[..], &[name]].concat()));
            } else if path.extension().is_some_and(|e| e == "rs") && name != "tests" {
                let is_root = ["lib", "main", "mod"].contains(&name.as_str());
                let module = if is_root { module.clone() } else { [&module[..], &[name]].concat() };
                files.insert(module, std::fs::read_to_string(&path).with_context(|| path.display().to_string())?);
            }
        }
    }
    Ok(files)
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
