//! The table of ARCHITECTURE.md: who may depend on whom. The page is the only place where it is written down.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

/// The heading of the column that names what a crate may depend on.
const COLUMN: &str = "may depend on";

/// What a row allows.
#[derive(Debug, PartialEq, Eq)]
pub enum May {
    /// These crates of the workspace, by folder name; an empty set is `nothing`.
    Only(BTreeSet<String>),
    /// Every crate that has a row of its own with names, and these.
    All(BTreeSet<String>),
    /// What it exercises. Nothing depends on it, unless another row names it.
    Anything,
}

/// The rows by folder name.
pub type Table = BTreeMap<String, May>;

/// Reads the table out of the page.
pub fn read(page: &str) -> Result<Table> {
    let mut rows = page.lines().skip_while(|line| !(line.starts_with('|') && line.contains(COLUMN))).skip(1);
    let under = rows.next().unwrap_or_default();
    if !under.starts_with("| ---") {
        bail!("ARCHITECTURE.md has no table with a column `{COLUMN}`");
    }
    let mut table = Table::new();
    for line in rows.take_while(|line| line.starts_with('|')) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (crates, allowed) = cells.next().zip(cells.next()).with_context(|| format!("the row `{line}` has no two cells"))?;
        for name in crates.split(',').map(folder_name) {
            if table.insert(name.clone(), may(allowed)?).is_some() {
                bail!("the table of ARCHITECTURE.md has two rows for {name}");
            }
        }
    }
    if table.is_empty() {
        bail!("the table of ARCHITECTURE.md has no rows");
    }
    Ok(table)
}

fn may(cell: &str) -> Result<May> {
    let plain = without_remarks(cell);
    let names: Vec<String> = plain.split(',').map(folder_name).filter(|name| !name.is_empty()).collect();
    Ok(match names.first().map(String::as_str) {
        Some("nothing") => May::Only(BTreeSet::new()),
        Some("all") => May::All(names.into_iter().skip(1).collect()),
        Some(_) if plain.starts_with("what they exercise") => May::Anything,
        Some(_) if names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')) => {
            May::Only(names.into_iter().collect())
        }
        _ => bail!("ARCHITECTURE.md: `{cell}` names no crates"),
    })
}

/// `examples/notes` is the folder `notes`.
fn folder_name(name: &str) -> String {
    let name = name.trim();
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

/// The cell without what stands in brackets.
fn without_remarks(cell: &str) -> String {
    let (mut depth, mut plain) = (0_u32, String::new());
    for c in cell.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain.trim().to_owned()
}

/// Whether `from` may depend on `to`.
pub fn allows(table: &Table, from: &str, to: &str) -> bool {
    match table.get(from) {
        Some(May::Only(names)) => names.contains(to),
        Some(May::All(more)) => more.contains(to) || matches!(table.get(to), Some(May::Only(_))) && !is_example(to),
        Some(May::Anything) => true,
        None => false,
    }
}

/// Services that are not part of the product, though they have rows with names.
fn is_example(name: &str) -> bool {
    name == "notes"
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# The house\n\n| a | b |\n| --- | --- |\n| x | y |\n\n| crate | may depend on (inside the workspace) | must never contain |\n| --- | --- | --- |\n\
                        | scopes | nothing | async |\n| store_sqlite, store_postgres | store, scopes | each other |\n\
                        | login | scopes, wire (time expressions) | HTML |\n| notes | scopes | - |\n| store | scopes | SQL |\n\
                        | falconer | all, examples/notes (feature `demo`) | rules |\n\
                        | benches, xtask | what they exercise; nothing depends on them | - |\n\nAfter the table | x |\n";

    #[test]
    fn the_table_of_the_page_is_what_is_allowed() {
        let table = read(PAGE).unwrap();
        for (from, to) in [
            ("store_sqlite", "store"),
            ("store_postgres", "scopes"),
            ("login", "wire"),
            ("falconer", "login"),
            ("falconer", "notes"),
            ("xtask", "login"),
        ] {
            assert!(allows(&table, from, to), "{from} -> {to}");
        }
        for (from, to) in [
            ("scopes", "store"),
            ("store_sqlite", "store_postgres"),
            ("login", "time"),
            ("falconer", "xtask"),
            ("login", "notes"),
            ("unknown", "scopes"),
        ] {
            assert!(!allows(&table, from, to), "{from} -> {to}");
        }
    }

    #[test]
    fn a_page_without_a_table_that_can_be_read_is_refused() {
        assert!(read("# The house\n").is_err());
        assert!(read("| crate | may depend on |\n| --- | --- |\n").is_err(), "no rows");
        assert!(read(&PAGE.replace("| login |", "| scopes |")).is_err(), "two rows for one crate");
        assert!(read(&PAGE.replace("| scopes, wire (time expressions) |", "| whatever it likes |")).is_err());
    }

    #[test]
    fn the_page_of_this_workspace_can_be_read() {
        let page = std::fs::read_to_string(crate::run::root().join("ARCHITECTURE.md")).unwrap();
        let table = read(&page).unwrap();
        assert!(allows(&table, "web", "auth") && !allows(&table, "auth", "web"));
    }
}
