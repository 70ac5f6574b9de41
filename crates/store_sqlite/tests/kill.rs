//! A process that writes is killed again and again: what it was told is durable is there afterwards, and nothing is half there.
//!
//! The program starts itself as the child (with an environment variable; so it is one without the test harness), which writes without pause
//! and prints each write that was acknowledged. `kill -9` keeps the page cache, so this shows atomicity and that the answer comes after the commit; that the commit is
//! synchronised is shown by `disk`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use common::writers::{Acknowledged, check, take_down, write};

const PATH: &str = "FALCONER_STORE_KILL_TEST_FILE";

fn main() {
    match std::env::var_os(PATH) {
        Some(path) => write(Path::new(&path)),
        // For tools that ask which tests there are.
        None if std::env::args().any(|argument| argument == "--list") => {}
        None => nothing_acknowledged_is_lost(),
    }
}

fn nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.db");
    let mut acknowledged = Acknowledged::new();
    let kills = common::number("FALCONER_KILLS", 20);
    for round in 0..kills {
        // A different number of lines each time, the same numbers in each run.
        kill_after(&path, 1 + round * 7919 % 61, &mut acknowledged);
        check(&path, &acknowledged);
    }
    assert!(acknowledged.len() as u64 > kills * 10, "{} writes are too few to show anything", acknowledged.len());
    println!("{kills} kills, {} acknowledged writes, none lost", acknowledged.len());
}

/// Starts a child, kills it after so many lines, and takes down every line that it managed to print.
fn kill_after(path: &Path, lines: u64, acknowledged: &mut Acknowledged) {
    let mut child =
        Command::new(std::env::current_exe().unwrap()).env(PATH, path).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).split(b'\n') {
        let line = String::from_utf8(line.unwrap()).unwrap();
        // The last line may be cut off.
        if !take_down(&line, acknowledged) {
            continue;
        }
        seen += 1;
        if seen == lines {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    assert!(seen >= lines, "the child ended by itself after {seen} writes");
}
