//! Pages that comments name: whoever reads the comment has to find them.

use std::path::{Path, PathBuf};

/// Comments of a Rust file that name a page (`*.md`) which is not in the repository under that path from the root, or beside the crate.
pub fn faults(file: &Path, content: &str, tracked: &[PathBuf]) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in content.lines().enumerate() {
        let comment = line.trim_start().strip_prefix("//").unwrap_or_default();
        let is_of_a_path = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        for word in comment.split(|c: char| !is_of_a_path(c)).filter(|word| word.len() > ".md".len() && word.ends_with(".md")) {
            let near = file.ancestors().skip(1).any(|folder| tracked.contains(&folder.join(word)));
            if !near {
                faults.push(format!("{}:{} names {word}, which is not there", file.display(), number + 1));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_nobody_can_find_is_a_fault() {
        let tracked: Vec<PathBuf> = ["README.md", "docs/grants.md", "crates/a/tests/table.md"].iter().map(PathBuf::from).collect();
        let of = |text: &str| faults(Path::new("crates/a/tests/b.rs"), text, &tracked);
        assert_eq!(of("//! See `docs/grants.md`, README.md and table.md.\nlet page = \"nowhere.md\";\n/// All `*.md`."), [""; 0]);
        assert_eq!(of("\n    /// As `grants.md` 3 says."), ["crates/a/tests/b.rs:2 names grants.md, which is not there"]);
    }
}
