//! The public interface of the packages that services take, on record: `interface.txt` beside the manifest. `cargo xtask check` fails where the record is not what
//! the sources say, so that nobody changes an interface without seeing it; and where a published interface changed and the version does not say so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use quote::{ToTokens, quote};
use syn::{Attribute, Fields, ImplItem, Item, Type, UseTree, Visibility};

use crate::run::root;

/// The packages that others depend on.
const CRATES: [&str; 2] = ["client", "middleware"];

/// Writes the records. A published interface is written anew only where the version says what changed.
pub fn write() -> Result<()> {
    for name in CRATES {
        let (path, record) = (path(name), record(name)?);
        if let Some(fault) = semver_fault(&std::fs::read_to_string(&path).unwrap_or_default(), &record) {
            bail!("falconer-{name}: {fault}");
        }
        std::fs::write(&path, record).with_context(|| path.display().to_string())?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Records that are not what the sources say.
pub fn faults() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for name in CRATES {
        let (path, record) = (path(name), record(name)?);
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        if kept != record {
            let why = semver_fault(&kept, &record).unwrap_or_else(|| "run `cargo xtask generate`, and read its difference".to_owned());
            faults.push(format!("{} is not the interface of falconer-{name}: {why}", path.display()));
        }
    }
    Ok(faults)
}

fn path(name: &str) -> PathBuf {
    root().join("crates").join(name).join("interface.txt")
}

/// Why a new record may not replace one. The first line of a record is `falconer-client 0.1.0 published`, or `... not published`: until then everything may change.
fn semver_fault(kept: &str, new: &str) -> Option<String> {
    let (head, _) = kept.split_once('\n')?;
    let before = head.strip_suffix(" published").filter(|head| !head.ends_with(" not"))?.rsplit(' ').next()?;
    let now = new.lines().next()?.split(' ').nth(1)?;
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<BTreeSet<_>>();
    let (old, fresh) = (lines(kept), lines(new));
    let numbers = |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u64>>();
    let (was, is) = (numbers(before), numbers(now));
    // Before 1.0 the second number says what breaks.
    let breaking = if was.first() == Some(&0) { is.get(..2) > was.get(..2) } else { is.first() > was.first() };
    match old.difference(&fresh).next() {
        Some(gone) if !breaking => Some(format!("`{gone}` is gone since {before}, and {now} does not say that something breaks")),
        None if fresh != old && is <= was => Some(format!("there is more than in {before}: {now} is no later version")),
        _ => None,
    }
}

fn record(name: &str) -> Result<String> {
    let folder = root().join("crates").join(name);
    let manifest: toml::Value = toml::from_str(&std::fs::read_to_string(root().join("Cargo.toml"))?)?;
    let package = manifest.get("workspace").and_then(|workspace| workspace.get("package"));
    let version = package.and_then(|package| package.get("version")?.as_str()).context("the workspace has a version")?;
    let kept = std::fs::read_to_string(path(name)).unwrap_or_default();
    let published = kept.lines().next().is_some_and(|head| head.ends_with(" published") && !head.ends_with(" not published"));
    let mut files = Vec::new();
    read(&folder.join("src"), &mut files)?;
    let state = if published { "published" } else { "not published" };
    Ok(format!("falconer-{name} {version} {state}\n{}", interface(&files)?))
}

/// All sources, by the name of their module.
fn read(folder: &Path, files: &mut Vec<(String, syn::File)>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, syn::parse_file(&text).with_context(|| path.display().to_string())?));
        }
    }
    Ok(())
}

/// One line for each thing that others can name, sorted. `lib.rs` says which: what it re-exports by name, and its public modules.
fn interface(files: &[(String, syn::File)]) -> Result<String> {
    let (_, lib) = files.iter().find(|(name, _)| name == "lib").context("a library")?;
    let mut lines = BTreeSet::new();
    // What a name in a source is called outside.
    let mut exported = BTreeMap::new();
    let mut public_modules = BTreeSet::new();
    let module = |item: &Item| if let Item::Mod(module) = item { Some(module.ident.to_string()) } else { None };
    let modules: BTreeSet<String> = lib.items.iter().filter_map(module).collect();
    for item in &lib.items {
        match item {
            Item::Mod(module) if is_public(&module.vis) => {
                let inside = module.content.iter().flat_map(|(_, items)| items);
                for used in inside.filter_map(|item| if let Item::Use(used) = item { Some(used) } else { None }) {
                    re_exports(&used.tree, String::new(), &mut |path, own, outside| {
                        lines.insert(format!("{}: pub use {path}{own} as {outside}", module.ident));
                    });
                }
                public_modules.insert(module.ident.to_string());
            }
            Item::Use(used) if is_public(&used.vis) => re_exports(&used.tree, String::new(), &mut |path, own, outside| {
                // A module of this crate begins what is its own; everything else is another crate's.
                let first = path.split("::").next().unwrap_or_default();
                if modules.contains(first) || first == "crate" {
                    exported.insert(own, outside);
                } else {
                    lines.insert(format!("pub use {path}{own} as {outside}"));
                }
            }),
            _ => {}
        }
    }
    for (module, file) in files {
        for item in &file.items {
            let outside = |name: &str| match exported.get(name) {
                Some(outside) => Some(outside.clone()),
                None => public_modules.contains(module).then(|| format!("{module}::{name}")),
            };
            describe(item, &outside, &mut lines);
        }
    }
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

fn re_exports(tree: &UseTree, path: String, found: &mut impl FnMut(&str, String, String)) {
    match tree {
        UseTree::Path(part) => re_exports(&part.tree, format!("{path}{}::", part.ident), found),
        UseTree::Name(name) => found(&path, name.ident.to_string(), name.ident.to_string()),
        UseTree::Rename(name) => found(&path, name.ident.to_string(), name.rename.to_string()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| re_exports(tree, path.clone(), found)),
        UseTree::Glob(_) => found(&path, "*".to_owned(), "*".to_owned()),
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn describe(item: &Item, outside: &impl Fn(&str) -> Option<String>, lines: &mut BTreeSet<String>) {
    match item {
        Item::Fn(function) if is_public(&function.vis) => {
            if let Some(name) = outside(&function.sig.ident.to_string()) {
                lines.insert(format!("{name}: {}", tokens(&function.sig)));
            }
        }
        Item::Struct(item) if is_public(&item.vis) => {
            let Some(name) = outside(&item.ident.to_string()) else { return };
            lines.insert(format!("{name}: struct{} {}", tokens(&item.generics), marks(&item.attrs)).trim_end().to_owned());
            if let Fields::Named(fields) = &item.fields {
                for field in fields.named.iter().filter(|field| is_public(&field.vis)) {
                    lines.insert(format!("{name}.{}: {}", tokens(&field.ident), tokens(&field.ty)));
                }
            }
        }
        Item::Enum(item) if is_public(&item.vis) => {
            let Some(name) = outside(&item.ident.to_string()) else { return };
            lines.insert(format!("{name}: enum{} {}", tokens(&item.generics), marks(&item.attrs)).trim_end().to_owned());
            for variant in &item.variants {
                let fields: Vec<String> = variant.fields.iter().map(|f| format!("{} {}", tokens(&f.ident), tokens(&f.ty))).collect();
                lines.insert(format!("{name}::{}({})", variant.ident, fields.join(", ")));
            }
        }
        Item::Impl(written) => {
            let Type::Path(of) = &*written.self_ty else { return };
            let Some(own) = of.path.segments.last().map(|segment| segment.ident.to_string()) else { return };
            let Some(name) = outside(&own) else { return };
            if let Some((of_trait, _)) = &written.trait_ {
                lines.insert(format!("{name}: impl{} {}", tokens(&written.generics), tokens(of_trait)));
                return;
            }
            for member in &written.items {
                if let ImplItem::Fn(function) = member
                    && is_public(&function.vis)
                {
                    lines.insert(format!("{name}: {}", tokens(&function.sig)));
                }
            }
        }
        _ => {}
    }
}

/// Derived traits, and whether more may come.
fn marks(attributes: &[Attribute]) -> String {
    let counts = |attribute: &&Attribute| ["derive", "non_exhaustive"].iter().any(|name| attribute.path().is_ident(name));
    attributes.iter().filter(counts).map(|attribute| tokens(&attribute.meta)).collect::<Vec<_>>().join(" ")
}

fn tokens(of: &impl ToTokens) -> String {
    quote!(#of).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_name_is_on_record() {
        let parse = |name: &str, text: &str| (name.to_owned(), syn::parse_str::<syn::File>(text).unwrap_or_else(|error| panic!("{error}")));
        let files = [
            parse(
                "lib",
                "mod a; pub mod time; pub mod crates { pub use ::http; } pub use a::{Shown, Kind as Sort}; pub use http::Method; pub use wire as shapes; use a::Hidden;",
            ),
            parse(
                "a",
                "#[derive(Debug)] pub struct Shown { pub name: String, secret: u8 } pub struct Hidden; pub(crate) struct Own;
                 #[non_exhaustive] pub enum Kind { One, Two { of: u8 } }
                 impl Shown { pub fn new(name: &str) -> Shown { todo!() } fn own(&self) {} pub(crate) fn near(&self) {} }
                 impl Clone for Shown { fn clone(&self) -> Shown { todo!() } }",
            ),
            parse("time", "pub fn now() -> i64 { 0 } fn own() {}"),
        ];
        let found = interface(&files).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            found.lines().collect::<Vec<_>>(),
            [
                "Shown.name: String",
                "Shown: fn new (name : & str) -> Shown",
                "Shown: impl Clone",
                "Shown: struct derive (Debug)",
                "Sort: enum non_exhaustive",
                "Sort::One()",
                "Sort::Two(of u8)",
                "crates: pub use http as http",
                "pub use http::Method as Method",
                "pub use wire as shapes",
                "time::now: fn now () -> i64",
            ]
        );
    }

    #[test]
    fn a_published_interface_changes_with_its_version() {
        let record = |head: &str, lines: &[&str]| format!("falconer-x {head}\n{}\n", lines.join("\n"));
        for (kept, new, said) in [
            (record("0.1.0 not published", &["a", "b"]), record("0.1.0 not published", &["a"]), None),
            (record("0.1.0 published", &["a", "b"]), record("0.1.0 published", &["a", "b"]), None),
            (record("0.1.0 published", &["a", "b"]), record("0.1.1 published", &["a"]), Some("`b` is gone since 0.1.0")),
            (record("0.1.0 published", &["a", "b"]), record("0.2.0 published", &["a"]), None),
            (record("0.1.0 published", &["a"]), record("0.1.0 published", &["a", "b"]), Some("there is more than in 0.1.0")),
            (record("0.1.0 published", &["a"]), record("0.1.1 published", &["a", "b"]), None),
            (record("1.0.0 published", &["a"]), record("1.1.0 published", &["b"]), Some("`a` is gone since 1.0.0")),
            (record("1.0.0 published", &["a"]), record("2.0.0 published", &["b"]), None),
        ] {
            let found = semver_fault(&kept, &new);
            assert_eq!(found.is_some(), said.is_some(), "{kept}{new}{found:?}");
            assert!(said.is_none_or(|said| found.is_some_and(|found| found.starts_with(said))), "{kept}{new}");
        }
    }
}
