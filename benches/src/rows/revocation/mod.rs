//! Revocation: while 64 workers use a credential as fast as they are answered, it is taken away. A request is a violation when it was accepted
//! although its first byte was sent after the acknowledgement of the revocation had been read.

mod kinds;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::kinds::{Kind, kind};
use super::Stage;
use crate::figures::report::Outcome;
use crate::requests::api::Keys;
use crate::requests::connection::Connection;
use crate::requests::pool::{authenticate_hawk, holds};

const WORKERS: usize = 64;
/// Requests of one round; each worker takes them in turn.
const REQUESTS: usize = 64;
/// A round that lasts longer than this is a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// A credential in use, until it is revoked.
struct Round {
    requests: Vec<Vec<u8>>,
    /// The acknowledgement of the revocation was read.
    acknowledged: AtomicBool,
    accepted_before: AtomicUsize,
    refused_after: AtomicUsize,
}

struct Workers {
    address: String,
    /// None while there is nothing to be used.
    round: RwLock<Option<Arc<Round>>>,
    over: AtomicBool,
    failed: AtomicBool,
    violations: AtomicU64,
    /// Requests that were sent after an acknowledgement.
    tried: AtomicU64,
}

/// What is taken away, in the order in which it is measured.
const KINDS: [&str; 5] = ["revoke-disable", "revoke-delete", "revoke-reset", "revoke-role", "revoke-grant"];

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    let (mut rounds, mut violations, mut kinds) = (0, 0, Vec::new());
    for id in KINDS {
        if !stage.wants(id) && !stage.wants("revocation") {
            continue;
        }
        if id == "revoke-grant" && !stage.subject.ours {
            stage.add(Outcome::none(id, "another server's pages are not known"));
            continue;
        }
        let began = Instant::now();
        let mut kind = kind(stage, id)?;
        let (violated, tried) = run(&stage.subject.api.address, stage.options.revocations, kind.as_mut()).with_context(|| id.to_owned())?;
        let note = format!(
            "{} rounds, {WORKERS} workers, {tried} requests after an acknowledgement, {:.1} s",
            stage.options.revocations,
            began.elapsed().as_secs_f64()
        );
        stage.add(Outcome::figure(id, violated as f64).noting(note));
        rounds += stage.options.revocations;
        violations += violated;
        kinds.push(id);
    }
    if stage.wants("revocation") {
        stage.add(Outcome::figure("revocation", violations as f64).noting(format!("{rounds} rounds of {}", kinds.join(", "))));
    }
    Ok(())
}

impl Round {
    fn new(address: &str, (keys, authorized): (Keys, Option<Vec<String>>)) -> Result<Round> {
        let mut random = fastrand::Rng::new();
        let one = |_| authenticate_hawk(address, &keys, authorized.as_deref(), &mut random);
        Ok(Round {
            requests: (0..REQUESTS).map(one).collect::<Result<_>>()?,
            acknowledged: AtomicBool::new(false),
            accepted_before: AtomicUsize::new(0),
            refused_after: AtomicUsize::new(0),
        })
    }
}

/// Violations, and how many requests were sent after an acknowledgement.
fn run(address: &str, rounds: usize, kind: &mut dyn Kind) -> Result<(u64, u64)> {
    let workers = Workers {
        address: address.to_owned(),
        round: RwLock::new(None),
        over: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        violations: AtomicU64::new(0),
        tried: AtomicU64::new(0),
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS)
            .map(|number| {
                scope.spawn({
                    let workers = &workers;
                    move || workers.work(number)
                })
            })
            .collect();
        let mut controlled = Ok(());
        for _ in 0..rounds {
            controlled = workers.round(kind);
            if controlled.is_err() {
                break;
            }
        }
        workers.over.store(true, Ordering::SeqCst);
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        controlled?;
        Ok((workers.violations.load(Ordering::SeqCst), workers.tried.load(Ordering::SeqCst)))
    })
}

impl Workers {
    /// Lets a credential be used, takes it away, and sees that all workers notice.
    fn round(&self, kind: &mut dyn Kind) -> Result<()> {
        let round = Arc::new(Round::new(&self.address, kind.give()?)?);
        self.publish(Some(Arc::clone(&round)))?;
        self.until("the credential is accepted", || round.accepted_before.load(Ordering::SeqCst) >= WORKERS)?;
        kind.take()?;
        round.acknowledged.store(true, Ordering::SeqCst);
        self.until("the credential is refused", || round.refused_after.load(Ordering::SeqCst) >= WORKERS)?;
        // The same keys may be given again: nobody may still be using them as those of this round.
        self.publish(None)?;
        self.until("no worker uses the credential", || Arc::strong_count(&round) == 1)
    }

    fn publish(&self, round: Option<Arc<Round>>) -> Result<()> {
        *self.round.write().map_err(|_| anyhow::anyhow!("a worker panicked"))? = round;
        Ok(())
    }

    fn present(&self) -> Result<Option<Arc<Round>>> {
        Ok(self.round.read().map_err(|_| anyhow::anyhow!("a worker panicked"))?.clone())
    }

    fn until(&self, what: &str, reached: impl Fn() -> bool) -> Result<()> {
        let began = Instant::now();
        while !reached() {
            if began.elapsed() > PATIENCE || self.failed.load(Ordering::SeqCst) {
                bail!("waited in vain until {what}");
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    fn work(&self, number: usize) -> Result<()> {
        let worked = self.exchanges(number);
        if worked.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        worked
    }

    fn exchanges(&self, number: usize) -> Result<()> {
        let mut connection = Connection::open(&self.address)?;
        for at in number.. {
            if self.over.load(Ordering::SeqCst) {
                break;
            }
            let Some(round) = self.present()? else {
                std::thread::sleep(Duration::from_micros(100));
                continue;
            };
            let request = round.requests.get(at % REQUESTS).context("a round without requests")?;
            // Read before the first byte goes out.
            let after = round.acknowledged.load(Ordering::SeqCst);
            let answer = connection.exchange(request)?;
            let accepted = holds(answer.body(), "auth-success");
            if !accepted && !holds(answer.body(), "auth-failed") {
                bail!("unexpected answer {}: {}", answer.status, String::from_utf8_lossy(answer.whole));
            }
            self.tried.fetch_add(u64::from(after), Ordering::SeqCst);
            match (accepted, after) {
                (true, true) => drop(self.violations.fetch_add(1, Ordering::SeqCst)),
                (true, false) => drop(round.accepted_before.fetch_add(1, Ordering::SeqCst)),
                (false, true) => drop(round.refused_after.fetch_add(1, Ordering::SeqCst)),
                (false, false) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::atomic::AtomicI64;

    /// A server that accepts as long as there is something left, and a way to take it away: at once, or only after some more requests.
    struct Fake {
        left: Arc<AtomicI64>,
        after_acknowledgement: i64,
    }

    impl Kind for Fake {
        fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
            self.left.store(i64::MAX, Ordering::SeqCst);
            Ok((Keys::new("bench/fake", "a"), None))
        }

        fn take(&mut self) -> Result<()> {
            self.left.store(self.after_acknowledgement, Ordering::SeqCst);
            Ok(())
        }
    }

    fn violations(after_acknowledgement: i64) -> (u64, u64) {
        let left = Arc::new(AtomicI64::new(i64::MAX));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::clone(&left);
        std::thread::spawn(move || {
            for stream in listener.incoming().take(WORKERS) {
                let (mut stream, left) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                        let word = if left.fetch_sub(1, Ordering::SeqCst) > 0 { "auth-success" } else { "auth-failed!" };
                        if write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{word}").is_err() {
                            return;
                        }
                    }
                });
            }
        });
        run(&address, 3, &mut Fake { left, after_acknowledgement }).unwrap()
    }

    #[test]
    fn a_server_that_forgets_late_is_found_out() {
        let (violated, tried) = violations(2_000);
        // What was on its way when the acknowledgement was read is nobody's fault.
        assert!(violated >= 3 * (2_000 - WORKERS as u64) && tried > violated, "{violated} of {tried}");
    }

    #[test]
    fn a_server_that_forgets_at_once_is_not_accused() {
        let (violated, tried) = violations(0);
        assert!(violated == 0 && tried >= 3 * WORKERS as u64, "{violated} of {tried}");
    }
}
