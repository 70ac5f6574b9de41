//! What is on a disk after some calls, when the power goes: of what was not synchronised all of it is lost, or some, and a part of one write.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use crate::calls::Call;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// What becomes of calls that were not synchronised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    Lost,
    /// Each of them with an even chance, and of a write each sector.
    Some(u64),
}

/// A file, whatever it is called.
#[derive(Default)]
struct Inode {
    /// What is certainly on the disk.
    synced: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Cut(usize),
}

type Names = BTreeMap<String, Rc<RefCell<Inode>>>;

/// A disk with one folder.
#[derive(Default)]
pub struct Disk {
    /// The names as the process sees them, and as they are after the folder was synchronised last.
    seen: Names,
    synced: Names,
}

impl Disk {
    pub fn take(&mut self, call: &Call) {
        match call {
            Call::Write(name, at, bytes) => self.pend(name, Pending::Write(*at, bytes.clone())),
            Call::Cut(name, length) => self.pend(name, Pending::Cut(*length)),
            Call::Sync(name) => {
                let mut inode = self.inode(name);
                let Inode { synced, pending } = &mut *inode;
                pending.drain(..).for_each(|pending| pending.apply(synced));
            }
            // The folder: its names stay as they were.
            Call::NotSynchronised(name) if name.is_empty() => {}
            // The system takes for written what it could not write, and a later synchronisation says nothing of it.
            Call::NotSynchronised(name) => self.inode(name).pending.clear(),
            Call::SyncFolder => self.synced.clone_from(&self.seen),
            Call::Remove(name) => drop(self.seen.remove(name)),
            Call::Create(name) => drop(self.inode(name)),
            Call::NotWritten | Call::Said(_) => {}
        }
    }

    fn inode(&mut self, name: &str) -> std::cell::RefMut<'_, Inode> {
        self.seen.entry(name.to_owned()).or_default().borrow_mut()
    }

    fn pend(&mut self, name: &str, pending: Pending) {
        self.inode(name).pending.push(pending);
    }

    /// Writes what is left of it into a folder.
    pub fn leave(&self, unsynced: Unsynced, folder: &Path) {
        let mut random = Random(match unsynced {
            Unsynced::Lost => 0,
            Unsynced::Some(seed) => seed,
        });
        let mut is_kept = || unsynced != Unsynced::Lost && random.even();
        // The names change at once or not at all.
        let names = if is_kept() { &self.seen } else { &self.synced };
        for (name, inode) in names {
            let inode = inode.borrow();
            let mut bytes = inode.synced.clone();
            for pending in &inode.pending {
                match pending {
                    Pending::Cut(_) if is_kept() => pending.clone().apply(&mut bytes),
                    Pending::Cut(_) => {}
                    Pending::Write(at, written) => {
                        for (number, sector) in written.chunks(SECTOR).enumerate() {
                            if is_kept() {
                                Pending::Write(at + number * SECTOR, sector.to_vec()).apply(&mut bytes);
                            }
                        }
                    }
                }
            }
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
}

impl Pending {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Pending::Cut(length) => bytes.resize(length, 0),
            Pending::Write(at, written) => {
                let end = at + written.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[at..end].copy_from_slice(&written);
            }
        }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn even(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) & 1 == 0
    }
}
