//! Stops a process in the middle of whatever it does, and lets it go on.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::process::Command;
use std::time::{Duration, Instant};

use super::patience::patience;

/// Stops it: whoever asks it is not answered from now on. The signal alone stops its threads one after the other, at some later moment.
pub fn freeze(pid: u32) {
    signal("-STOP", pid);
    let until = Instant::now() + patience();
    while !is_frozen(pid) {
        assert!(Instant::now() < until, "process {pid} goes on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub fn thaw(pid: u32) {
    signal("-CONT", pid);
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

/// Whether each of its threads stands. One that ends meanwhile does nothing either.
fn is_frozen(pid: u32) -> bool {
    let mut threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.all(|thread| {
        let stat = std::fs::read_to_string(thread.unwrap().path().join("stat")).unwrap_or_default();
        // Behind the name, which is in parentheses and may hold anything.
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    })
}
