//! What one file of Rust brings in from its own crate, names outwards, and defines. Tests inside of a file are left out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree, Visibility};

/// A path from the root of the crate: `["directory", "Snapshot"]`.
pub type Path = Vec<String>;

/// What one file says of its crate.
#[derive(Debug, Default)]
pub struct Imports {
    /// What it uses.
    pub uses: BTreeSet<Path>,
    /// What it names outwards for others (`pub use`), by the name that it gives.
    pub exports: BTreeMap<String, Path>,
    /// Modules of which it names everything outwards.
    pub exports_all: Vec<Path>,
    /// What it defines itself.
    pub items: BTreeSet<String>,
}

/// Reads the file that is the module `module`. `is_module` says which paths are files or folders of the crate.
pub fn read(source: &str, module: &Path, is_module: &dyn Fn(&[String]) -> bool) -> Result<Imports> {
    let file = syn::parse_file(source).with_context(|| format!("crate::{}", module.join("::")))?;
    let mut reader = Reader { module: module.clone(), is_module, found: Imports::default() };
    reader.visit_file(&file);
    Ok(reader.found)
}

struct Reader<'a> {
    module: Path,
    is_module: &'a dyn Fn(&[String]) -> bool,
    found: Imports,
}

impl Reader<'_> {
    /// The path from the root of the crate, if it leads into it.
    fn rooted(&self, path: &[String]) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module.split_last().map_or_else(Vec::new, |(_, above)| above.to_vec()),
            child => [&self.module[..], &[child.to_owned()]].concat(),
        };
        let plain_word = !["crate", "self", "super"].contains(&first.as_str());
        if plain_word && !(self.is_module)(&base) {
            return None;
        }
        let mut rest = rest;
        while let Some((_, more)) = rest.split_first().filter(|(word, _)| *word == "super") {
            base.pop();
            rest = more;
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn use_tree(&mut self, tree: &UseTree, before: &[String], outwards: bool) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.use_tree(&path.tree, &with(path.ident.to_string()), outwards),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(item, before, outwards)),
            UseTree::Glob(_) => {
                let Some(path) = self.rooted(before) else { return };
                if outwards {
                    self.found.exports_all.push(path);
                } else {
                    self.found.uses.insert(path);
                }
            }
            UseTree::Name(name) if name.ident == "self" => self.used(before, before.last().cloned(), outwards),
            UseTree::Name(name) => self.used(&with(name.ident.to_string()), Some(name.ident.to_string()), outwards),
            UseTree::Rename(rename) => self.used(&with(rename.ident.to_string()), Some(rename.rename.to_string()), outwards),
        }
    }

    fn used(&mut self, path: &[String], name: Option<String>, outwards: bool) {
        let Some(path) = self.rooted(path) else { return };
        match name.filter(|_| outwards) {
            Some(name) => drop(self.found.exports.insert(name, path)),
            None => drop(self.found.uses.insert(path)),
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes(item).iter().any(is_test) {
            return;
        }
        if let Some(name) = name(item) {
            self.found.items.insert(name);
        }
        match item {
            Item::Use(item) => self.use_tree(&item.tree, &[], !matches!(item.vis, Visibility::Inherited)),
            Item::Mod(inner) if inner.content.is_some() => {
                self.module.push(inner.ident.to_string());
                visit::visit_item(self, item);
                self.module.pop();
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Path = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        // One word alone is a variable, a type that was brought in, or a prelude's: not a path into the crate.
        if path.leading_colon.is_none() && words.len() > 1 {
            self.used(&words, None, false);
        }
        visit::visit_path(self, path);
    }

    /// What stands in a macro is not parsed, but its paths from the root can be seen.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let text = item.tokens.to_string();
        for after in text.split("crate ::").skip(1) {
            let words = after.split("::").map(str::trim).map_while(|word| {
                let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
                word.get(..end).filter(|w| !w.is_empty())
            });
            self.found.uses.insert(words.map(str::to_owned).collect());
        }
        visit::visit_macro(self, item);
    }
}

fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(i) => &i.ident,
        Item::Enum(i) => &i.ident,
        Item::Fn(i) => &i.sig.ident,
        Item::Static(i) => &i.ident,
        Item::Struct(i) => &i.ident,
        Item::Trait(i) => &i.ident,
        Item::Type(i) => &i.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
