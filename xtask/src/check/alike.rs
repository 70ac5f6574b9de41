//! Enums that say the same: two near-equal sets of variants are one, and a variant that is added to one of them is forgotten in the other. There were two of the
//! 17 kinds of what is written, one for whoever decides and one for the stores.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use syn::visit::Visit;

/// Smaller ones share plain words by chance.
const FEWEST_VARIANTS: usize = 8;

/// An enum: its name, where it is, the names of its variants.
struct Found {
    name: String,
    file: String,
    variants: BTreeSet<String>,
}

/// Pairs that share three quarters of their variants. `files` are all that are tracked, from the root, with their content.
pub fn faults<'f>(files: impl Iterator<Item = (&'f Path, String)>) -> Result<Vec<String>> {
    let mut all = Enums::default();
    for (file, content) in files.filter(|(file, _)| is_source(file)) {
        all.file = file.display().to_string();
        all.visit_file(&syn::parse_file(&content).with_context(|| all.file.clone())?);
    }
    let mut faults = Vec::new();
    for (at, one) in all.found.iter().enumerate() {
        for other in all.found.iter().skip(at + 1) {
            let shared = one.variants.intersection(&other.variants).count();
            let larger = one.variants.len().max(other.variants.len());
            if shared * 4 >= larger * 3 {
                let Found { name, file, .. } = one;
                faults.push(format!(
                    "{name} of {file} and {} of {} share {shared} of {larger} variants: make one of them",
                    other.name, other.file
                ));
            }
        }
    }
    Ok(faults)
}

/// What is built, without tests.
fn is_source(file: &Path) -> bool {
    let has = |part: &str| file.components().any(|one| one.as_os_str() == part);
    file.extension().is_some_and(|extension| extension == "rs") && file.starts_with("crates") && has("src")
}

#[derive(Default)]
struct Enums {
    file: String,
    found: Vec<Found>,
}

impl Visit<'_> for Enums {
    fn visit_item_enum(&mut self, item: &syn::ItemEnum) {
        if item.variants.len() >= FEWEST_VARIANTS {
            let variants = item.variants.iter().map(|variant| variant.ident.to_string()).collect();
            self.found.push(Found { name: item.ident.to_string(), file: self.file.clone(), variants });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_enums_with_nearly_the_same_variants_are_said() {
        let of = |name: &str, variants: &str| format!("//! x\npub enum {name} {{ {variants} }}\n");
        let write = of("Write", "A, B(u8), C { c: u8 }, D, E, F, G, H");
        let at = |file: &'static str, content: &str| (Path::new(file), content.to_owned());
        let said = |files: Vec<(&'static Path, String)>| faults(files.into_iter()).unwrap();
        let first = at("crates/a/src/write.rs", &write);
        let found = said(vec![
            first.clone(),
            at("crates/b/src/deep/change.rs", &format!("mod inside {{ {} }}", of("Change", "B, A, C, D, E, F, X, Y").replace("//! x", ""))),
        ]);
        assert_eq!(
            found,
            ["Write of crates/a/src/write.rs and Change of crates/b/src/deep/change.rs share 6 of 8 variants: make one of them"]
        );
        let others =
            ["A, B, C, D, E, X, Y, Z", "A, B, C, D, E, F, G", "A, B, C, D, E, F, G, H, I, J, K"].map(|variants| of("Other", variants));
        for other in others {
            assert_eq!(said(vec![first.clone(), at("crates/b/src/b.rs", &other)]), [""; 0], "{other}");
        }
        assert_eq!(said(vec![first, at("crates/b/tests/b.rs", &write)]), [""; 0], "a test may say what it expects");
    }
}
