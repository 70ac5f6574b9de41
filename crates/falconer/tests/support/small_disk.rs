//! A file system of 4 MiB that only the process of a test sees.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::patience::output_of;
use super::{Init, falconer, init};

/// Mounts a file system in a mount namespace of the command's own, takes steps in it, and becomes the command. Nobody needs rights for that where the system
/// lets users make namespaces.
const SCRIPT: &str = r#"set -e
mount -t tmpfs -o size=4m,mode=0700 tmpfs "$DISK"
for step in $STEPS; do
    case $step in
    made_before) cp -a "$KEPT" "$DISK/data" ;;
    full) dd if=/dev/zero of="$DISK/ballast" bs=4096 2>/dev/null || true ;;
    tried) if "$@"; then exit 99; fi ;;
    room) rm "$DISK/ballast" ;;
    room_[0-9]*) truncate -s -"${step#room_}"K "$DISK/ballast" ;;
    esac
done
unset DISK KEPT STEPS
exec "$@""#;

/// Where each command of a test gets such a file system, empty at first.
pub struct SmallDisk {
    folder: TempDir,
    /// As root, where users make no namespaces.
    as_root: bool,
}

/// What takes all the room; it is free again when this value is gone.
pub struct Ballast(PathBuf);

impl SmallDisk {
    pub fn make() -> SmallDisk {
        let mut disk = SmallDisk { folder: tempfile::tempdir().unwrap(), as_root: false };
        std::fs::create_dir(disk.mounted()).unwrap();
        let mut probe = output_of(disk.within("").args(["true"]));
        if !probe.status.success() {
            disk.as_root = true;
            probe = output_of(disk.within("").args(["true"]));
        }
        assert!(
            probe.status.success(),
            "this test mounts a file system of its own, and this system does not let it: run it as root, or let users make namespaces; {}",
            String::from_utf8_lossy(&probe.stderr)
        );
        disk
    }

    fn mounted(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Of each command.
    pub fn data(&self) -> PathBuf {
        self.mounted().join("data")
    }

    /// Makes the data directory that the step `made_before` puts on the disk.
    pub fn init(&self) -> Init {
        init(&self.folder.path().join("kept"))
    }

    fn within(&self, steps: &str) -> Command {
        let mut command = Command::new("unshare");
        if !self.as_root {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "sh", "-c", SCRIPT, "sh"]);
        command.env("DISK", self.mounted()).env("KEPT", self.folder.path().join("kept")).env("STEPS", steps);
        command
    }

    /// `falconer WORDS...` on the disk, after steps with names of [`SCRIPT`].
    pub fn command(&self, steps: &str, words: &[&str]) -> Command {
        let falconer = falconer();
        let mut command = self.within(steps);
        for (name, value) in falconer.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.arg(falconer.get_program()).args(words).env("FALCONER_DATA_DIR", self.data()).stdin(Stdio::null());
        command
    }

    /// Takes all the room that the disk of this process has left.
    pub fn fill(&self, process: u32) -> Ballast {
        let path = PathBuf::from(format!("/proc/{process}/root")).join(self.mounted().strip_prefix("/").unwrap()).join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
        Ballast(path)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}
