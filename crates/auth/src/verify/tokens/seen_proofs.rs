//! Proofs that have counted, for as long as they would count once more (RFC 9449 section 11.1).
//!
//! Only what was signed by the key of a token that counts is remembered. Where there is no room, a proof is refused: to forget one would let it count twice. No grant
//! takes all of the room.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use falconer_credentials::{PROOF_LIFETIME_MS, ProofFault};

/// The memory has parts, so that nobody waits for long while one grows.
const PARTS: usize = 16;
/// So many are remembered in two minutes, in all and of one grant. About 40 MB at most.
const MOST: usize = 1_000_000;
const MOST_OF_A_GRANT: usize = 100_000;

/// What has been seen.
pub(crate) struct SeenProofs {
    parts: [Mutex<Part>; PARTS],
    most: usize,
    most_of_a_grant: usize,
}

#[derive(Default)]
struct Part {
    younger: Seen,
    older: Seen,
    since_ms: i64,
}

/// Eight bytes stand for a proof: whoever wanted theirs to be taken for another one could only have it refused.
#[derive(Default)]
struct Seen {
    proofs: HashSet<u64>,
    by_grant: HashMap<String, usize>,
}

impl Default for SeenProofs {
    fn default() -> Self {
        SeenProofs::with_room(MOST, MOST_OF_A_GRANT)
    }
}

impl SeenProofs {
    fn with_room(most: usize, most_of_a_grant: usize) -> SeenProofs {
        let parts = std::array::from_fn(|_| Mutex::default());
        SeenProofs { parts, most: most.div_ceil(PARTS), most_of_a_grant: most_of_a_grant.div_ceil(PARTS) }
    }

    /// Remembers a proof that holds by its [`falconer_credentials::DpopProof::id`], for a token of this grant. Errors: it is there already, or there is no room.
    pub(crate) fn note(&self, id: [u8; 32], grant: &str, now_ms: i64) -> Result<(), ProofFault> {
        self.note_id(short(id), grant, now_ms)
    }

    /// Whether it is there already.
    pub(crate) fn has(&self, id: [u8; 32]) -> bool {
        let id = short(id);
        let part = self.part(id);
        part.older.proofs.contains(&id) || part.younger.proofs.contains(&id)
    }

    fn note_id(&self, id: u64, grant: &str, now_ms: i64) -> Result<(), ProofFault> {
        let mut part = self.part(id);
        // Whatever was seen is known through one whole time that follows; a clock may be set back, too.
        if now_ms.saturating_sub(part.since_ms).saturating_abs() >= PROOF_LIFETIME_MS {
            part.older = mem::take(&mut part.younger);
            part.since_ms = now_ms;
        }
        if part.older.proofs.contains(&id) || part.younger.proofs.contains(&id) {
            return Err(ProofFault::Replayed);
        }
        let of_grant = part.younger.by_grant.get(grant).copied().unwrap_or_default();
        if part.younger.proofs.len() >= self.most || of_grant >= self.most_of_a_grant {
            return Err(ProofFault::TooMany);
        }
        part.younger.proofs.insert(id);
        match part.younger.by_grant.get_mut(grant) {
            Some(count) => *count += 1,
            None => drop(part.younger.by_grant.insert(grant.to_owned(), 1)),
        }
        Ok(())
    }

    fn part(&self, id: u64) -> MutexGuard<'_, Part> {
        let [.., last] = id.to_be_bytes();
        let [first, ..] = &self.parts;
        self.parts.get(usize::from(last) % PARTS).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn short([a, b, c, d, e, f, g, h, ..]: [u8; 32]) -> u64 {
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: i64 = PROOF_LIFETIME_MS;

    #[test]
    fn a_proof_is_known_for_as_long_as_it_counts() {
        let seen = SeenProofs::default();
        // At the beginning of a time, and at its end.
        for (id, at_ms) in [(1, 10 * LIFE), (2, 11 * LIFE - 1)] {
            assert_eq!(seen.note_id(id * 16, "g", at_ms), Ok(()));
            for later_ms in [0, 1, LIFE - 1, LIFE] {
                assert_eq!(seen.note_id(id * 16, "g", at_ms + later_ms), Err(ProofFault::Replayed), "{id} {later_ms}");
            }
        }
        assert_eq!(seen.note_id(16, "g", 14 * LIFE), Ok(()), "forgotten when it does not count any more");
    }

    #[test]
    fn nobody_forgets_for_want_of_room() {
        let seen = SeenProofs::with_room(PARTS * 4, PARTS * 2);
        assert_eq!((0..4).map(|n| seen.note_id(n * 16, "a", 0).is_ok()).collect::<Vec<_>>(), [true, true, false, false]);
        assert_eq!((4..7).map(|n| seen.note_id(n * 16, "b", 0)).collect::<Vec<_>>(), [Ok(()), Ok(()), Err(ProofFault::TooMany)]);
        assert_eq!(seen.note_id(7 * 16, "c", 0), Err(ProofFault::TooMany), "there is room for four");
        assert_eq!(seen.note_id(0, "a", LIFE), Err(ProofFault::Replayed));
        assert_eq!(seen.note_id(7 * 16, "c", LIFE), Ok(()));
    }

    #[test]
    fn of_64_at_once_one_is_the_first() {
        let seen = SeenProofs::default();
        let firsts = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..64).map(|_| scope.spawn(|| seen.note_id(7, "g", 0).is_ok())).collect();
            tries.into_iter().map(|one| one.join().unwrap()).filter(|is_first| *is_first).count()
        });
        assert_eq!(firsts, 1);
    }
}
