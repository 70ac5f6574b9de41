//! Passwords: argon2id, a few at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::queue::{Asker, Place, Queue, Turn};
use crate::error::LoginError;
use crate::settings::{LoginSettings, PasswordCost};

/// Shortest and longest password in characters, as people count them.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=512;
/// What can be one, in bytes: each character takes four at most, and passwords of before were counted in bytes.
const BYTES: std::ops::RangeInclusive<usize> = *LENGTH.start()..=4 * *LENGTH.end();
/// Of a hash, in bytes.
const HASH_BYTES: usize = 32;
/// Room for so many blocks of 1 KiB is asked for at least. Memory allocators give blocks above 32 MiB back to the system at once, and keep smaller
/// ones, one for each thread that ever hashed. What is not used of it is never touched, and takes no memory.
const LEAST_BLOCKS: usize = 33 * 1024;

/// Memory in which hashes are computed, and how many were. The system takes as long to give fresh memory as half a hash takes, so memory goes from one hash to the
/// next as long as somebody hashes or waits for a turn, and back to the system then.
#[derive(Default)]
struct HashMemory {
    free: Mutex<Vec<Vec<Block>>>,
    hashes: AtomicU64,
}

impl HashMemory {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For so many blocks, all zero: those of the last hash are already.
    fn take(&self, count: usize) -> Result<Vec<Block>, String> {
        let mut memory = self.lock().pop().unwrap_or_default();
        let more = count.max(LEAST_BLOCKS).saturating_sub(memory.len());
        memory.try_reserve_exact(more).map_err(|error| error.to_string())?;
        memory.resize(count, Block::default());
        Ok(memory)
    }

    /// Overwrites what was used: the rest was never touched, and touching it would take as long again.
    fn give_back(&self, mut memory: Vec<Block>) {
        memory.iter_mut().zeroize();
        self.lock().push(memory);
    }

    fn give_up(&self) {
        let free = std::mem::take(&mut *self.lock());
        drop(free);
    }
}

/// Hashes and checks passwords outside of the async threads, and only so many at the same time, because each takes much memory.
pub(crate) struct PasswordPool {
    cost: PasswordCost,
    queue: Queue,
    memory: Arc<HashMemory>,
    /// The hash of nobody's password: an unknown name costs what a known one costs.
    dummy: String,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is another one, or there is none.
    Wrong,
    /// It is the one that was hashed. `outdated`: the hash cost less than hashes cost now, or was made of another form of the same characters.
    Right { outdated: bool },
}

impl PasswordPool {
    pub(crate) fn new(settings: &LoginSettings, salt: &[u8; 16]) -> Result<PasswordPool, LoginError> {
        let memory = Arc::<HashMemory>::default();
        let unused = Arc::clone(&memory);
        let (most_working, most_waiting) = (settings.password_workers.clamp(1, 1024), settings.password_queue.min(65_536));
        Ok(PasswordPool {
            cost: settings.password_cost,
            memory,
            queue: Queue::new(most_working, most_waiting, move || unused.give_up()),
            dummy: dummy_hash(settings.password_cost, salt).map_err(|error| LoginError::Invalid(format!("argon2: {error}")))?,
        })
    }

    /// The hash to be stored, in PHC form. The salt must be new and random.
    pub(crate) async fn hash(&self, place: Place, password: &str, salt: [u8; 16]) -> Result<String, LoginError> {
        let turn = place.turn().await?;
        let password = normal_form(password);
        let cost = self.cost;
        self.work(turn, move |memory| hash(memory, cost, password.as_bytes(), &salt)).await
    }

    /// Whether the password is the one that was hashed. Without a hash the same work is done, and the answer is no.
    pub(crate) async fn check(&self, turn: Turn, password: &str, stored: Option<&str>) -> Result<Checked, LoginError> {
        let forms = forms(password);
        let known = stored.is_some();
        let stored = Zeroizing::new(stored.unwrap_or(&self.dummy).to_owned());
        let cost = self.cost;
        let checked = self.work(turn, move |memory| check(memory, cost, &forms, &stored)).await?;
        Ok(if known { checked } else { Checked::Wrong })
    }

    /// How many hashes were computed since the start.
    pub(crate) fn hashes(&self) -> u64 {
        self.memory.hashes.load(Ordering::Relaxed)
    }

    /// The turn is held until the work is done, also when the caller has gone.
    async fn work<T: Send + 'static>(
        &self,
        turn: Turn,
        job: impl FnOnce(&HashMemory) -> Result<T, String> + Send + 'static,
    ) -> Result<T, LoginError> {
        let memory = Arc::clone(&self.memory);
        let done = tokio::task::spawn_blocking(move || {
            let done = job(&memory);
            drop(turn);
            done
        });
        done.await.map_err(|error| LoginError::Internal(error.to_string()))?.map_err(LoginError::Internal)
    }

    /// Takes a place, if there is one.
    pub(crate) fn enter(&self, asker: &Asker) -> Result<Place, LoginError> {
        self.queue.enter(asker)
    }
}

/// The same characters can be typed as different bytes (`é` as one character or as two); this is one form of them all.
fn normal_form(password: &str) -> Zeroizing<String> {
    let mut normal = Zeroizing::new(String::with_capacity(password.len().saturating_mul(3)));
    normal.extend(password.nfc());
    normal
}

/// What is tried: the normal form, and the bytes as they came, of which older hashes were made. What can't be a password is not worth hashing in full.
fn forms(password: &str) -> Vec<Zeroizing<String>> {
    if password.len() > BYTES.end().saturating_mul(3) {
        return vec![Zeroizing::default()];
    }
    let mut forms = vec![normal_form(password)];
    if forms.first().is_some_and(|normal| normal.as_str() != password) {
        forms.push(Zeroizing::new(password.to_owned()));
    }
    forms.retain(|form| BYTES.contains(&form.len()));
    if forms.is_empty() {
        forms.push(Zeroizing::default());
    }
    forms
}

/// A sentence when the password can't be chosen.
pub(crate) fn check_new(password: &str) -> Result<(), LoginError> {
    // First: counting characters takes as long as there are many.
    if password.len() <= BYTES.end().saturating_mul(3) && LENGTH.contains(&normal_form(password).chars().count()) {
        return Ok(());
    }
    Err(LoginError::Invalid(format!("A password has {} to {} characters.", LENGTH.start(), LENGTH.end())))
}

fn hash(memory: &HashMemory, cost: PasswordCost, password: &[u8], salt: &[u8; 16]) -> Result<String, String> {
    let params = params(cost).map_err(|error| error.to_string())?;
    let output = raw_hash(memory, params.clone(), Algorithm::Argon2id, Version::V0x13, password, salt, HASH_BYTES)?;
    Ok(phc(&params, salt, &output))
}

fn check(memory: &HashMemory, cost: PasswordCost, forms: &[Zeroizing<String>], stored: &str) -> Result<Checked, String> {
    let broken = |error: &dyn std::fmt::Display| format!("a stored password hash: {error}");
    let parsed = PasswordHash::new(stored).map_err(|error| broken(&error))?;
    let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).map_err(|error| broken(&error))?;
    let version = parsed.version.map_or(Ok(Version::default()), Version::try_from).map_err(|error| broken(&error))?;
    let params = Params::try_from(&parsed).map_err(|error| broken(&error))?;
    let (Some(salt), Some(expected)) = (&parsed.salt, &parsed.hash) else { return Err(broken(&"it has no salt or no hash")) };
    for (at, form) in forms.iter().enumerate() {
        let output = raw_hash(memory, params.clone(), algorithm, version, form.as_bytes(), salt, expected.as_bytes().len())?;
        if bool::from(output.ct_eq(expected.as_bytes())) {
            let outdated = at > 0 || algorithm != Algorithm::Argon2id || is_cheaper(&params, cost);
            return Ok(Checked::Right { outdated });
        }
    }
    Ok(Checked::Wrong)
}

fn is_cheaper(params: &Params, cost: PasswordCost) -> bool {
    let work = |memory_kib: u32, passes: u32| u64::from(memory_kib) * u64::from(passes);
    work(params.m_cost(), params.t_cost()) < work(cost.memory_kib, cost.passes)
}

fn raw_hash(
    memory: &HashMemory,
    params: Params,
    algorithm: Algorithm,
    version: Version,
    password: &[u8],
    salt: &[u8],
    bytes: usize,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut blocks = memory.take(params.block_count())?;
    memory.hashes.fetch_add(1, Ordering::Relaxed);
    let mut output = Zeroizing::new(vec![0; bytes]);
    let argon2 = Argon2::new(algorithm, version, params);
    let hashed = argon2.hash_password_into_with_memory(password, salt, &mut output, &mut blocks);
    memory.give_back(blocks);
    hashed.map_err(|error| error.to_string())?;
    Ok(output)
}

fn params(cost: PasswordCost) -> Result<Params, argon2::Error> {
    Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
}

fn phc(params: &Params, salt: &[u8], output: &[u8]) -> String {
    let (memory_kib, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
    format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${output}")
}

/// A hash that no password is known for: checking one against it costs what any check costs, and making it nothing, so that a start does not wait.
fn dummy_hash(cost: PasswordCost, random: &[u8; 16]) -> Result<String, argon2::Error> {
    Ok(phc(&params(cost)?, random, &Sha256::digest(random)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(memory_kib: u32, passes: u32) -> PasswordPool {
        let settings = LoginSettings {
            password_cost: PasswordCost { memory_kib, passes, lanes: 1 },
            password_workers: 1,
            password_queue: 0,
            ..LoginSettings::default()
        };
        PasswordPool::new(&settings, &[7; 16]).unwrap()
    }

    async fn check_in(pool: &PasswordPool, password: &str, stored: Option<&str>) -> Result<Checked, LoginError> {
        pool.check(pool.enter(&Asker::default()).unwrap().turn().await.unwrap(), password, stored).await
    }

    async fn hash_in(pool: &PasswordPool, password: &str) -> String {
        pool.hash(pool.enter(&Asker::default()).unwrap(), password, [1; 16]).await.unwrap()
    }

    /// Story: three characters of three bytes each were a password, where pages say that one has eight characters.
    #[tokio::test]
    async fn a_password_is_as_long_as_its_characters() {
        let pool = pool(8, 1);
        for good in ["密".repeat(8), "密".repeat(512), "a".repeat(8), "a".repeat(512), "e\u{301}".repeat(512)] {
            assert_eq!(check_new(&good), Ok(()), "{good}");
            let hash = hash_in(&pool, &good).await;
            assert!(matches!(check_in(&pool, &good, Some(&hash)).await, Ok(Checked::Right { .. })), "{good}");
        }
        for bad in ["密码密".to_owned(), "密".repeat(7), "密".repeat(513), "a".repeat(513), "e\u{301}".repeat(7), "a".repeat(1 << 20)]
        {
            assert!(check_new(&bad).is_err(), "{bad}");
        }
        // Whoever has one of before signs in with it.
        let hash = hash_in(&pool, "密码密").await;
        assert!(matches!(check_in(&pool, "密码密", Some(&hash)).await, Ok(Checked::Right { .. })));
    }

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let pool = pool(8, 1);
        let hash = hash_in(&pool, "some password").await;
        assert_eq!(check_in(&pool, "some password", Some(&hash)).await, Ok(Checked::Right { outdated: false }));
        for wrong in ["", "some passwor", "some password ", "Some password"] {
            assert_eq!(check_in(&pool, wrong, Some(&hash)).await, Ok(Checked::Wrong));
        }
        // Whatever is given for a name that nobody has.
        assert_eq!(check_in(&pool, "", None).await, Ok(Checked::Wrong));
        let (theirs, dummy_hash) = (PasswordHash::new(&hash).unwrap(), PasswordHash::new(&pool.dummy).unwrap());
        assert_eq!(
            (&dummy_hash.algorithm, dummy_hash.version, &dummy_hash.params),
            (&theirs.algorithm, theirs.version, &theirs.params),
            "the same work"
        );
        let broken = check_in(&pool, "some password", Some("not a hash")).await;
        assert!(matches!(broken, Err(LoginError::Internal(_))));
    }

    /// Somebody else's implementation makes the same hashes: argon2's own test vector tools, memory 64 KiB, 2 passes, salt `somesalt`.
    #[tokio::test]
    async fn hashes_are_those_of_everybody() {
        let pool = pool(8, 1);
        let stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        assert_eq!(check_in(&pool, "password", Some(stored)).await, Ok(Checked::Right { outdated: false }));
    }

    /// A hash once stayed as cheap as it was made.
    #[tokio::test]
    async fn a_cheaper_hash_is_outdated() {
        let (old, new) = (pool(8, 1), pool(8, 2));
        let hash = hash_in(&old, "some password").await;
        assert_eq!(check_in(&new, "some password", Some(&hash)).await, Ok(Checked::Right { outdated: true }));
        let hash = hash_in(&new, "some password").await;
        assert_eq!(check_in(&old, "some password", Some(&hash)).await, Ok(Checked::Right { outdated: false }));
    }

    /// A Mac and a telephone send other bytes for the same letters: the right password was refused.
    #[tokio::test]
    async fn a_password_is_its_characters() {
        let pool = pool(8, 1);
        let (composed, decomposed) = ("caf\u{e9} cr\u{e8}me", "cafe\u{301} cre\u{300}me");
        for typed in [composed, decomposed] {
            let hash = hash_in(&pool, typed).await;
            for spelling in [composed, decomposed] {
                assert_eq!(check_in(&pool, spelling, Some(&hash)).await, Ok(Checked::Right { outdated: false }));
            }
        }
        // A hash from before was made of the bytes as they came.
        let old = super::hash(&pool.memory, pool.cost, decomposed.as_bytes(), &[1; 16]).unwrap();
        assert_eq!(check_in(&pool, decomposed, Some(&old)).await, Ok(Checked::Right { outdated: true }));
        assert_eq!(check_in(&pool, composed, Some(&old)).await, Ok(Checked::Wrong));
    }

    /// What was not used was overwritten too, which took the system as long as half a hash.
    #[tokio::test]
    async fn memory_goes_on_while_somebody_waits_and_back_then() {
        let settings = LoginSettings {
            password_cost: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 },
            password_workers: 1,
            password_queue: 8,
            ..LoginSettings::default()
        };
        let pool = PasswordPool::new(&settings, &[7; 16]).unwrap();
        let first = pool.enter(&Asker::default()).unwrap().turn().await.unwrap();
        let waiting = pool.enter(&Asker::default()).unwrap();
        let params = params(settings.password_cost).unwrap();
        let one =
            move |memory: &HashMemory| raw_hash(memory, params, Algorithm::Argon2id, Version::V0x13, b"a password", b"a salt, too", 32);
        let output = pool.work(first, one.clone()).await.unwrap();
        let is_zero = |room: &Vec<Block>| room.iter().all(|block| block.as_ref().iter().all(|word| *word == 0));
        let kept: Vec<_> = pool.memory.lock().iter().map(|room| (is_zero(room), room.capacity() >= LEAST_BLOCKS)).collect();
        assert_eq!(kept, [(true, true)]);
        let second = pool.work(waiting.turn().await.unwrap(), one).await.unwrap();
        assert_eq!(second, output, "nothing of the first one is left in it");
        assert!(pool.memory.lock().is_empty());
        assert_eq!(pool.hashes(), 2);
    }

    /// With two at once each hash had memory that the system gave anew, although another one was always under way: a third of what a sign-in took.
    #[tokio::test]
    async fn memory_stays_while_another_hash_is_under_way() {
        let settings = LoginSettings {
            password_cost: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 },
            password_workers: 2,
            ..LoginSettings::default()
        };
        let pool = PasswordPool::new(&settings, &[7; 16]).unwrap();
        let params = params(settings.password_cost).unwrap();
        let one =
            move |memory: &HashMemory| raw_hash(memory, params, Algorithm::Argon2id, Version::V0x13, b"a password", b"a salt, too", 32);
        let [first, second] = [0, 1].map(|_| pool.enter(&Asker::default()).unwrap());
        let (first, second) = (first.turn().await.unwrap(), second.turn().await.unwrap());
        let output = pool.work(first, one.clone()).await.unwrap();
        assert_eq!(pool.memory.lock().len(), 1, "the second is under way");
        assert_eq!(pool.work(second, one).await.unwrap(), output);
        assert!(pool.memory.lock().is_empty());
    }

    /// A cost may have gone down since the memory was asked for: the rest of it is no part of the hash.
    #[test]
    fn memory_of_a_dearer_hash_does_for_a_cheaper_one() {
        let memory = HashMemory::default();
        let hash = |memory_kib| {
            let params = Params::new(memory_kib, 1, 1, None).unwrap();
            raw_hash(&memory, params, Algorithm::Argon2id, Version::V0x13, b"a password", b"a salt, too", 32).unwrap()
        };
        let alone = hash(8);
        memory.give_up();
        hash(64);
        assert_eq!(hash(8), alone);
        assert_eq!(memory.lock().len(), 1);
    }
}
