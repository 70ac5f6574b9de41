//! The power goes while a process writes, or its disk fails: what was acknowledged is there afterwards, and nothing is half there.
//!
//! What a killed process has written is in the memory of the system, whether it was synchronised or not. So here a process writes under a library
//! (`calls.c`) that notes what it asks of the disk, and disks are made of that as they are after a power cut: what was synchronised is there, and of what
//! was not nothing, or some sectors. `FALCONER_POWER_CUTS` and `FALCONER_DISK_FAULTS` say how often.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(target_os = "linux")]
mod calls;
#[path = "../common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod image;

const PATH: &str = "FALCONER_STORE_DISK_TEST_FILE";

fn main() {
    match std::env::var_os(PATH) {
        Some(path) => common::writers::write(std::path::Path::new(&path)),
        // For tools that ask which tests there are.
        None if std::env::args().any(|argument| argument == "--list") => {}
        #[cfg(target_os = "linux")]
        None => {
            tests::nothing_acknowledged_is_lost_when_the_power_goes();
            tests::nothing_acknowledged_is_lost_when_a_call_fails();
            tests::a_disk_that_loses_what_was_synchronised_is_found();
        }
        #[cfg(not(target_os = "linux"))]
        None => {}
    }
}

#[cfg(target_os = "linux")]
mod tests {
    use falconer_store::Store as _;

    use crate::calls::{Call, library, of_child};
    use crate::common::number;
    use crate::common::writers::{Acknowledged, WRITERS, check, take_down};
    use crate::image::{Disk, Unsynced};

    const NAME: &str = "f.db";
    /// More than two checkpoints of the log.
    const LINES: usize = 300;

    /// In memory where there is room: what lies there is looked at once, and synchronising it again would take long.
    fn folder() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
    }

    /// What was acknowledged by then.
    fn acknowledged(calls: &[Call]) -> Acknowledged {
        let mut acknowledged = Acknowledged::new();
        for call in calls {
            if let Call::Said(text) = call {
                assert!(text.lines().all(|line| take_down(line, &mut acknowledged)), "{text}");
            }
        }
        acknowledged
    }

    /// What such a disk holds is what was acknowledged, and is good for another server.
    fn hold(disk: &Disk, unsynced: Unsynced, acknowledged: &Acknowledged) {
        let folder = folder();
        disk.leave(unsynced, folder.path());
        check(&folder.path().join(NAME), acknowledged);
    }

    fn is_of_disk(call: &Call) -> bool {
        !matches!(call, Call::Said(_))
    }

    pub fn nothing_acknowledged_is_lost_when_the_power_goes() {
        let folder = folder();
        let calls = of_child(&library(folder.path()), &folder.path().join("disk"), (crate::PATH, NAME), LINES, "");
        let all = acknowledged(&calls);
        assert_eq!(all.len(), LINES);
        let cuts = number("FALCONER_POWER_CUTS", 60);
        let mut disk = Disk::default();
        let mut next = 0;
        for (done, call) in calls.iter().enumerate() {
            disk.take(call);
            // As far apart as they have to be, from the first call on.
            if done as u64 * cuts < next * calls.len() as u64 {
                continue;
            }
            let unsynced = if next % 3 == 0 { Unsynced::Lost } else { Unsynced::Some(next) };
            println!("after {} of {} calls: {unsynced:?}", done + 1, calls.len());
            hold(&disk, unsynced, &acknowledged(&calls[..=done]));
            next += 1;
        }
        assert_eq!(next, cuts, "of {} calls", calls.len());
        println!("{cuts} power cuts within {} calls, {LINES} acknowledged writes, none lost", calls.len());
    }

    pub fn nothing_acknowledged_is_lost_when_a_call_fails() {
        let folder = folder();
        let library = library(folder.path());
        let run = |name: &str, fails: &str| of_child(&library, &folder.path().join(name), (crate::PATH, NAME), LINES, fails);
        let whole = run("whole", "");
        let faults = number("FALCONER_DISK_FAULTS", 24);
        let (mut failed, mut lines) = (0, 0);
        for (kind, count) in [
            ("w", whole.iter().filter(|call| matches!(call, Call::Write(..))).count() as u64),
            ("s", whole.iter().filter(|call| matches!(call, Call::Sync(_) | Call::SyncFolder)).count() as u64),
        ] {
            for number in 0..faults / 2 {
                // From the first one, which is of an empty disk, to the last.
                let which = 1 + number * count / (faults / 2);
                let name = format!("{kind}{which}");
                let calls = run(&name, &name);
                let at = calls.iter().position(|call| matches!(call, Call::NotWritten | Call::NotSynchronised(_)));
                let Some(at) = at else { continue };
                failed += 1;
                let said = acknowledged(&calls);
                lines += said.len();
                // What was on its way to whoever waited for it is said still; after that the store is not used again. Nobody minds a folder, and while the
                // database is made, before there is a log, a statement that failed is undone by its journal and done again.
                let of_folder = matches!(&calls[at], Call::NotSynchronised(name) if name.is_empty());
                let is_made = calls[..at].iter().any(|call| matches!(call, Call::Create(name) if name.ends_with("-wal")));
                let later = said.len() - acknowledged(&calls[..at]).len();
                assert!(of_folder || !is_made || later as u64 <= WRITERS, "{name}: {later} acknowledged afterwards");
                let mut disk = Disk::default();
                calls.iter().for_each(|call| disk.take(call));
                for unsynced in [Unsynced::Lost, Unsynced::Some(number)] {
                    println!("{name} failed: {unsynced:?}");
                    hold(&disk, unsynced, &said);
                }
                check(&folder.path().join(&name).join(NAME), &said);
                std::fs::remove_dir_all(folder.path().join(&name)).unwrap();
            }
        }
        assert!(failed * 10 >= faults * 9 && lines > LINES, "{failed} of {faults}, {lines} lines");
        println!("{failed} writes and synchronisations failed, {lines} acknowledged writes, none lost");
    }

    /// A test that finds nothing on a disk that lies shows nothing of one that does not.
    pub fn a_disk_that_loses_what_was_synchronised_is_found() {
        let (folder, there) = (folder(), folder());
        let calls = of_child(&library(folder.path()), &folder.path().join("disk"), (crate::PATH, NAME), 20, "");
        let mut disk = Disk::default();
        let is_of_log = |call: &&Call| !matches!(call, Call::Sync(name) if name.ends_with("-wal"));
        calls.iter().filter(|call| is_of_disk(call)).filter(is_of_log).for_each(|call| disk.take(call));
        disk.leave(Unsynced::Lost, there.path());
        let newest = *acknowledged(&calls).last_key_value().unwrap().0;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(async { crate::common::open(&there.path().join(NAME)).revision().await.unwrap() });
        assert!(found.0 < newest, "the log was never synchronised, and nothing is missing of {newest}: {found:?}");
    }
}
