//! The drawing of the house as it is: each crate and each of its rooms, with the first sentence of what it says of itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::root;

/// Files of Rust in one folder, above which it is cut into rooms. The root of a crate or room is not counted.
const MANY_FILES: usize = 11;

/// A crate or a room.
#[derive(Debug)]
pub struct Room {
    /// From the root of the workspace; `src` of a crate is left out.
    pub path: String,
    /// The first sentence of its `lib.rs`, `main.rs` or `mod.rs`.
    pub sentence: Option<String>,
    /// Files beside that one.
    pub files: usize,
}

/// The crates of the workspace and the rooms of each, in the order of the drawing. `crates` are folders from the root.
pub fn read(crates: &[String]) -> Result<Vec<Room>> {
    let mut rooms = Vec::new();
    for one in crates {
        read_folder(&root().join(one).join("src"), one, &mut rooms)?;
    }
    Ok(rooms)
}

fn read_folder(folder: &Path, path: &str, rooms: &mut Vec<Room>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("no folder {}", folder.display()))?;
    let inside: BTreeSet<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let rust: Vec<&PathBuf> = inside.iter().filter(|file| file.extension().is_some_and(|e| e == "rs")).collect();
    let (roots, files): (Vec<&PathBuf>, Vec<&PathBuf>) = rust.iter().partition(|file| is_root(file));
    let beside = folder.with_extension("rs");
    let says = roots.first().map(|file| file.to_path_buf()).unwrap_or(beside);
    let sentence = std::fs::read_to_string(&says).ok().and_then(|source| first_sentence(&source));
    rooms.push(Room { path: path.to_owned(), sentence, files: files.len() });
    for folder in inside.iter().filter(|path| path.is_dir() && !path.ends_with("src/bin") && holds_rust(path)) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        read_folder(folder, &format!("{path}/{name}"), rooms)?;
    }
    Ok(())
}

fn is_root(file: &Path) -> bool {
    ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| file.ends_with(name))
}

/// Whether there is more in a folder than the tests of the file beside it.
fn holds_rust(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_file = |path: &Path| path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs");
    entries.map(|entry| entry.path()).any(|path| is_file(&path) || path.is_dir() && holds_rust(&path))
}

/// The first sentence of the `//!` lines.
fn first_sentence(source: &str) -> Option<String> {
    let said = source.lines().skip_while(|line| !line.starts_with("//!")).map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let paragraph: Vec<&str> = said.skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()).collect();
    let text = paragraph.join(" ");
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    text.get(..end).filter(|sentence| !sentence.is_empty()).map(str::to_owned)
}

/// As it is printed.
pub fn draw(rooms: &[Room]) -> String {
    let name = |room: &Room| match room.path.matches('/').count() {
        0 | 1 => format!("{}/", room.path),
        depth => format!("{}{}/", "  ".repeat(depth), room.path.rsplit('/').next().unwrap_or_default()),
    };
    let line = |room: &Room| {
        let sentence = room.sentence.as_deref().unwrap_or("(says nothing)");
        format!("{:<26} {:>2}  {sentence}", name(room), room.files)
    };
    rooms.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Rooms that say nothing of themselves, and crates and rooms that the drawing in ARCHITECTURE.md does not have.
pub fn faults(rooms: &[Room], page: &str) -> Vec<String> {
    let drawing = page.split("```").nth(1).unwrap_or_default();
    let drawn: BTreeSet<&str> =
        drawing.split_whitespace().filter_map(|word| word.trim_end_matches([',', ';', ':']).strip_suffix('/')).collect();
    let mut faults = Vec::new();
    for room in rooms {
        if room.sentence.is_none() {
            faults.push(format!("{} does not say in a first sentence what is in it", room.path));
        }
        let (crate_or_room, name) = (room.path.matches('/').count() <= 2, room.path.rsplit('/').next().unwrap_or_default());
        if crate_or_room && room.path.starts_with("crates/") && !drawn.contains(name) {
            faults.push(format!("the drawing of ARCHITECTURE.md has no {name}/ ({})", room.path));
        }
    }
    faults
}

/// Folders with too many files.
pub fn full_folders(rooms: &[Room]) -> Vec<String> {
    let full = rooms.iter().filter(|room| room.files > MANY_FILES);
    full.map(|room| format!("{} holds {} files (above {MANY_FILES}: cut it into rooms)", room.path, room.files)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_ends_at_a_full_stop_or_with_its_paragraph() {
        let said = |source| first_sentence(source).unwrap_or_default();
        assert_eq!(said("//! Who somebody is. And more.\n//! Much more.\nuse x;\n"), "Who somebody is.");
        assert_eq!(said("// licence\n\n//!\n//! Reads `a.b`,\n//! without a stop\n//!\n//! Second.\n"), "Reads `a.b`, without a stop");
        assert_eq!(first_sentence("use x;\n"), None);
    }

    #[test]
    fn silent_rooms_full_folders_and_rooms_that_are_not_drawn_are_said() {
        let room = |path: &str, sentence: Option<&str>, files| Room { path: path.to_owned(), sentence: sentence.map(str::to_owned), files };
        let rooms =
            [room("crates/auth", Some("A."), 11), room("crates/auth/verify", None, 12), room("crates/auth/verify/deep", Some("B."), 1)];
        let page = "```\ncrates/\n  auth/   USE CASES\n```\n";
        assert_eq!(
            faults(&rooms, page),
            [
                "crates/auth/verify does not say in a first sentence what is in it",
                "the drawing of ARCHITECTURE.md has no verify/ (crates/auth/verify)"
            ]
        );
        assert_eq!(full_folders(&rooms), ["crates/auth/verify holds 12 files (above 11: cut it into rooms)"]);
        assert!(draw(&rooms).contains("    verify/"), "{}", draw(&rooms));
    }
}
