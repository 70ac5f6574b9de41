//! Entries of manifests that no source uses, and those that only tests use though they are not for tests alone.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};

use super::graph::Ours;

/// Folders of a crate that are only built for its tests.
const TESTS: &[&str] = &["tests", "benches", "examples"];

/// What is in the manifests and should not be.
pub fn faults(crates: &[Ours]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for one in crates {
        let (mut product, mut tests) = (BTreeSet::new(), BTreeSet::new());
        read_folder(&one.folder.join("src"), &mut product, &mut tests)?;
        for folder in TESTS {
            let mut all = BTreeSet::new();
            read_folder(&one.folder.join(folder), &mut all, &mut tests)?;
            tests.extend(all);
        }
        for dependency in &one.dependencies {
            let (used, used_by_tests) = (product.contains(&dependency.library), tests.contains(&dependency.library));
            let of = format!("{} of {}", dependency.name, one.name);
            match (dependency.for_tests, used, used_by_tests) {
                (false, false, true) => faults.push(format!("only tests use {of}: it belongs into [dev-dependencies]")),
                (false, false, false) | (true, _, false) => faults.push(format!("nothing uses {of}")),
                _ => {}
            }
        }
    }
    Ok(faults)
}

fn read_folder(folder: &Path, product: &mut BTreeSet<String>, tests: &mut BTreeSet<String>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            read_folder(&path, product, tests)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            let source = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let tokens: TokenStream = source.parse().map_err(|error| anyhow!("{}: {error}", path.display()))?;
            // A file of another crate's tests that is taken in as a module.
            for file in taken_in(&source).filter_map(|file| Some(path.parent()?.join(file))) {
                let source = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
                let tokens: TokenStream = source.parse().map_err(|error| anyhow!("{}: {error}", file.display()))?;
                let mut all = BTreeSet::new();
                names(tokens, &mut all, tests);
                tests.extend(all);
            }
            let only_tests = path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
            if only_tests {
                let mut all = BTreeSet::new();
                names(tokens, &mut all, tests);
                tests.extend(all);
            } else {
                names(tokens, product, tests);
            }
        }
    }
    Ok(())
}

/// What stands in `#[path = "..."]`.
fn taken_in(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]"))
}

/// Words that begin a path or are brought in: `name::...`, `use name;`, `use name as other;`. What stands below `#[cfg(test)]` goes to `tests`.
fn names(tokens: TokenStream, product: &mut BTreeSet<String>, tests: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Group(group) if is_test(group) && at > 0 && is_punct(tokens.get(at - 1), '#') => {
                let end = tokens.iter().skip(at + 1).position(ends_item).map_or(tokens.len(), |length| at + 1 + length + 1);
                let mut all = BTreeSet::new();
                names(tokens.get(at + 1..end).unwrap_or_default().iter().cloned().collect(), &mut all, tests);
                tests.extend(all);
                at = end;
                continue;
            }
            TokenTree::Group(group) => names(group.stream(), product, tests),
            TokenTree::Ident(name) => {
                let begins =
                    !(at > 1 && is_punct(tokens.get(at - 1), ':') && matches!(tokens.get(at.wrapping_sub(3)), Some(TokenTree::Ident(_))));
                let path = is_punct(tokens.get(at + 1), ':') && is_punct(tokens.get(at + 2), ':');
                let brought_in = at > 0 && matches!(tokens.get(at - 1), Some(TokenTree::Ident(word)) if word == "use");
                if begins && (path || brought_in) {
                    product.insert(name.to_string());
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn is_punct(token: Option<&TokenTree>, c: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

/// `[cfg(test)]`
fn is_test(group: &proc_macro2::Group) -> bool {
    group.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// The end of what an attribute stands above.
fn ends_item(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace) || is_punct(Some(token), ';')
}

#[cfg(test)]
mod tests {
    use super::super::graph::Dependency;
    use super::*;

    #[test]
    fn what_nothing_uses_and_what_only_tests_use_is_said() {
        let folder = std::env::temp_dir().join(format!("falconer-unused-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        std::fs::create_dir_all(folder.join("tests")).unwrap();
        let source = "//! Not toml::x.\nuse serde::Serialize; use itself as other;\nmod url { }\nfn f() { crate::http::f(); self::bytes::g(); \"rand::x\"; x!(http_body::Body); }\n\
                      #[cfg(test)]\nmod tests { use tempfile::TempDir; }\nfn g() { anyhow::bail!(1) }\n";
        std::fs::write(folder.join("src/lib.rs"), source).unwrap();
        std::fs::write(folder.join("tests/a.rs"), "#[path = \"../b.rs\"]\nmod b;\nfn a() { ::insta::x() }").unwrap();
        std::fs::write(folder.join("b.rs"), "use wiremock::Mock;").unwrap();
        let dependency = |name: &str, for_tests| Dependency { name: name.to_owned(), library: name.replace('-', "_"), for_tests };
        let product = ["serde", "itself", "anyhow", "http-body", "tempfile", "toml", "url", "http", "bytes", "rand"];
        let mut dependencies: Vec<Dependency> = product.map(|name| dependency(name, false)).into();
        dependencies.extend(["insta", "wiremock", "criterion"].map(|name| dependency(name, true)));
        let found = faults(&[Ours { name: "x".to_owned(), folder: folder.clone(), dependencies }]).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let unused = ["toml", "url", "http", "bytes", "rand", "criterion"].map(|name| format!("nothing uses {name} of x"));
        let mut expected = vec!["only tests use tempfile of x: it belongs into [dev-dependencies]".to_owned()];
        expected.extend(unused);
        assert_eq!(found, expected);
    }
}
