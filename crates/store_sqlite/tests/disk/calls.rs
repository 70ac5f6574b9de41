//! What a process asked of its disk, as `calls.c` has noted it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One call, in the order in which they were done.
#[derive(Debug)]
pub enum Call {
    /// Bytes at a place of a file.
    Write(String, usize, Vec<u8>),
    /// A file has this length from now on.
    Cut(String, usize),
    /// All that was written to the file is on the disk.
    Sync(String),
    /// The names of the folder are.
    SyncFolder,
    Create(String),
    Remove(String),
    /// A write failed, of which a part was done.
    NotWritten,
    /// A synchronisation of this file failed.
    NotSynchronised(String),
    /// Not a call: what the process said.
    Said(String),
}

/// Compiles the library that notes them.
pub fn library(folder: &Path) -> PathBuf {
    let library = folder.join("calls.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/disk/calls.c");
    let done = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    assert!(done.expect("cc, which SQLite is built with too").success());
    library
}

/// Runs this program as a child whose database is in the folder, until it has said so many lines or its disk has failed; what it asked of the disk there.
/// `fails` as in `calls.c`.
pub fn of_child(library: &Path, folder: &Path, database: (&str, &str), lines: usize, fails: &str) -> Vec<Call> {
    let log = folder.with_extension("log");
    std::fs::create_dir(folder).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(database.0, folder.join(database.1)).env("LD_PRELOAD", library);
    command.env("FALCONER_DISK_FOLDER", folder).env("FALCONER_DISK_LOG", &log).env("FALCONER_DISK_FAILS", fails);
    command.env("FALCONER_DISK_LINES", lines.to_string());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(!status.success(), "a child ends as if it were killed, or because its disk failed");
    let calls = read(&std::fs::read(&log).unwrap());
    std::fs::remove_file(&log).unwrap();
    calls
}

fn read(log: &[u8]) -> Vec<Call> {
    let (mut calls, mut rest) = (Vec::new(), log);
    let number = |bytes: &[u8]| usize::try_from(u64::from_le_bytes(bytes.try_into().unwrap())).unwrap();
    while !rest.is_empty() {
        let kind = rest[0];
        let name_length = usize::from(u16::from_le_bytes([rest[1], rest[2]]));
        let (at, length) = (number(&rest[3..11]), number(&rest[11..19]));
        let name = String::from_utf8(rest[19..19 + name_length].to_vec()).unwrap();
        let bytes = rest[19 + name_length..19 + name_length + length].to_vec();
        rest = &rest[19 + name_length + length..];
        calls.push(match kind {
            b'W' => Call::Write(name, at, bytes),
            b'T' => Call::Cut(name, at),
            b'S' if name.is_empty() => Call::SyncFolder,
            b'S' => Call::Sync(name),
            b'U' => Call::Remove(name),
            b'C' => Call::Create(name),
            b'F' => Call::NotWritten,
            b'X' => Call::NotSynchronised(name),
            b'A' => Call::Said(String::from_utf8(bytes).unwrap()),
            other => panic!("what is {other}?"),
        });
    }
    calls
}
