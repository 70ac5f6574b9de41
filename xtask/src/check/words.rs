//! Words of the sources that may stand in one place, or nowhere. Two readers of one thing accept different things, two texts of one answer drift apart, and a
//! name that nobody would search for is found by nobody.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use syn::visit::{self, Visit};

/// What stands in one file of the crates only, and what it is.
const ONCE: &[(&str, &str, &str)] = &[
    ("rsplit_once(':')", "crates/credentials/src/hawk/authority.rs", "host and port are read by falconer_credentials::authority"),
    (
        "does not have sufficient scopes and is missing the following scopes:\\n\\n```\\n{",
        "crates/wire/src/error.rs",
        "the text of a 403 is that of wire",
    ),
];

/// What stands nowhere below a folder, in any letter case, and why.
const NOWHERE: &[(&str, &[&str], &str)] = &[("crates/scopes/src/", &["http", "etag", "gzip"], "scopes knows nothing of answers over HTTP")];

/// Names that say what was done to something, or by whom, and not what it is.
const NO_NAMES: &[&str] = &["again", "asked", "complaints", "heard", "made", "stock", "told", "wardrobe", "worth"];

/// `files` are all that are tracked, from the root, with their content.
pub fn faults<'f>(files: impl Iterator<Item = (&'f Path, String)>) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (file, content) in files.filter(|(file, _)| file.extension().is_some_and(|e| e == "rs")) {
        let path = file.display().to_string();
        let is_source = path.starts_with("crates/") && path.contains("/src/");
        for (text, place, what) in ONCE {
            if is_source && path != *place && content.contains(text) {
                faults.push(format!("{path} has `{text}`: {what}"));
            }
        }
        for (folder, words, why) in NOWHERE {
            let lower = content.to_ascii_lowercase();
            let found = words.iter().filter(|word| path.starts_with(folder) && lower.contains(**word));
            faults.extend(found.map(|word| format!("{path} speaks of {word}: {why}")));
        }
        if !is_source {
            continue;
        }
        let mut names = Names::default();
        names.visit_file(&syn::parse_file(&content).with_context(|| path.clone())?);
        faults
            .extend(names.0.iter().map(|name| format!("{path} names something `{name}`: say what it is, so that it can be searched for")));
    }
    Ok(faults)
}

/// Names of things that are declared and are in [`NO_NAMES`].
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn declared(&mut self, name: &syn::Ident) {
        let name = name.to_string();
        if NO_NAMES.contains(&name.to_ascii_lowercase().as_str()) {
            self.0.insert(name);
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Const(item) => self.declared(&item.ident),
            syn::Item::Enum(item) => self.declared(&item.ident),
            syn::Item::Mod(item) => self.declared(&item.ident),
            syn::Item::Static(item) => self.declared(&item.ident),
            syn::Item::Struct(item) => self.declared(&item.ident),
            syn::Item::Trait(item) => self.declared(&item.ident),
            syn::Item::Type(item) => self.declared(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.declared(&signature.ident);
        visit::visit_signature(self, signature);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.declared(&variant.ident);
        visit::visit_variant(self, variant);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if let Some(name) = &field.ident {
            self.declared(name);
        }
        visit::visit_field(self, field);
    }

    fn visit_trait_item_type(&mut self, item: &'ast syn::TraitItemType) {
        self.declared(&item.ident);
        visit::visit_trait_item_type(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, content: &str) -> Vec<String> {
        faults([(Path::new(file), content.to_owned())].into_iter()).unwrap()
    }

    /// The gateway had two readers of host and port, and both took what the one of credentials refuses.
    #[test]
    fn what_stands_in_one_place_stands_nowhere_else() {
        let reader = "fn port(host: &str) { host.rsplit_once(':'); }";
        assert_eq!(of("crates/credentials/src/hawk/authority.rs", reader), [""; 0]);
        assert_eq!(of("crates/web/tests/a.rs", reader), [""; 0]);
        assert!(of("crates/gateway/src/a.rs", reader)[0].contains("falconer_credentials::authority"));
        assert!(of("crates/scopes/src/a.rs", "/// Its ETag.\nstruct A;")[0].contains("speaks of etag"));
        assert_eq!(of("crates/web/src/a.rs", "/// Its ETag.\nstruct A;"), [""; 0]);
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        for code in [
            "struct Told;",
            "enum E { Heard }",
            "fn made() {}",
            "struct S { asked: u8 }",
            "const AGAIN: u8 = 1;",
            "mod heard {}",
            "trait T { type Told; }",
        ] {
            assert_eq!(of("crates/a/src/a.rs", code).len(), 1, "{code}");
        }
        assert_eq!(of("crates/a/src/a.rs", "struct Heard2; fn told_by(asked: u8) { let again = asked; }"), [""; 0]);
    }
}
