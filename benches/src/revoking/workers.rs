//! Workers that use a credential on every server at once, and what each server still accepts after it was taken away.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Given, Kind};
use crate::requests::connection::Connection;
use crate::requests::pool::{authenticate_hawk, check_token, holds};

/// What authenticateHawk and check say of credentials that hold, and of those that don't.
const ACCEPTED: [&str; 2] = ["auth-success", r#""status":"allowed""#];
const REFUSED: [&str; 2] = ["auth-failed", r#""status":"failed""#];
/// Requests of one round for each place; each worker takes them in turn.
const REQUESTS: usize = 64;
/// A round that lasts longer than this is a fault.
const PATIENCE: Duration = Duration::from_secs(120);
/// Before the acknowledgement was read.
const NOT_YET: u64 = u64::MAX;

/// A credential in use, until it is revoked.
struct Round {
    began: Instant,
    /// Since then, in nanoseconds: when the revocation was asked for, and when its acknowledgement was read.
    requested_ns: AtomicU64,
    acknowledged_ns: AtomicU64,
    places: Vec<PlaceRound>,
}

/// The same at one of the places.
struct PlaceRound {
    requests: Vec<Vec<u8>>,
    accepted_before: AtomicUsize,
    refused_after: AtomicUsize,
    /// When the last request was sent that was accepted, of those that were sent after the revocation was asked for.
    last_accepted_ns: AtomicU64,
}

/// What was seen at one place in one round.
#[derive(Clone, Copy)]
pub(crate) struct InForce {
    /// From the request of the revocation to the last request that was accepted.
    pub(crate) since_request: Duration,
    /// From its acknowledgement.
    pub(crate) since_acknowledgement: Duration,
}

/// So many workers at each of the places.
pub(crate) struct Workers<'a> {
    /// `host:port`, servers or what stands in front of them.
    addresses: &'a [String],
    each: usize,
    bound: Duration,
    /// None while there is nothing to be used.
    round: RwLock<Option<Arc<Round>>>,
    /// Told whenever that changes: so many workers that look again and again would keep the servers from their work.
    changed: (Mutex<()>, Condvar),
    over: AtomicBool,
    failed: AtomicBool,
    late: AtomicU64,
    after: AtomicU64,
    unavailable: AtomicU64,
    first_unavailable: Mutex<Option<String>>,
}

/// What came of it.
pub(crate) struct Seen {
    /// In the order of the rounds, in each of them in that of the places.
    pub(crate) in_force: Vec<InForce>,
    /// Accepted, although sent later than the bound after the acknowledgement.
    pub(crate) late: u64,
    /// Sent after an acknowledgement.
    pub(crate) after: u64,
    /// Answered 503, and what the first of these said.
    pub(crate) unavailable: u64,
    pub(crate) first_unavailable: Option<String>,
}

/// Uses what `kind` gives at all addresses, and takes it away, so many times.
pub(crate) fn run(addresses: &[String], each: usize, bound: Duration, rounds: usize, kind: &mut dyn Kind) -> Result<Seen> {
    let workers = Workers {
        addresses,
        each,
        bound,
        round: RwLock::new(None),
        changed: (Mutex::new(()), Condvar::new()),
        over: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        late: AtomicU64::new(0),
        after: AtomicU64::new(0),
        unavailable: AtomicU64::new(0),
        first_unavailable: Mutex::new(None),
    };
    let in_force = std::thread::scope(|scope| {
        let place_of = |number: usize| number % addresses.len();
        let workers = &workers;
        let threads: Vec<_> =
            (0..each * addresses.len()).map(|number| scope.spawn(move || workers.work(place_of(number), number))).collect();
        let mut in_force = Vec::new();
        let mut controlled = Ok(());
        for _ in 0..rounds {
            match workers.round(kind) {
                Ok(seen) => in_force.extend(seen),
                Err(error) => {
                    controlled = Err(error);
                    break;
                }
            }
        }
        workers.over.store(true, Ordering::SeqCst);
        workers.tell();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        controlled.map(|()| in_force)
    })?;
    Ok(Seen {
        in_force,
        late: workers.late.into_inner(),
        after: workers.after.into_inner(),
        unavailable: workers.unavailable.into_inner(),
        first_unavailable: workers.first_unavailable.into_inner().unwrap_or_else(PoisonError::into_inner),
    })
}

impl Round {
    fn new(addresses: &[String], given: &Given) -> Result<Round> {
        let mut random = fastrand::Rng::new();
        let mut place = |address: &String| -> Result<PlaceRound> {
            let one = |_| match given {
                Given::Signed { keys, authorized } => authenticate_hawk(address, keys, authorized.as_deref(), &mut random),
                Given::Token(token) => Ok(check_token(address, token, "auth:current-scopes", &mut random)),
            };
            Ok(PlaceRound {
                requests: (0..REQUESTS).map(one).collect::<Result<_>>()?,
                accepted_before: AtomicUsize::new(0),
                refused_after: AtomicUsize::new(0),
                last_accepted_ns: AtomicU64::new(0),
            })
        };
        let places = addresses.iter().map(&mut place).collect::<Result<_>>()?;
        Ok(Round { began: Instant::now(), requested_ns: AtomicU64::new(NOT_YET), acknowledged_ns: AtomicU64::new(NOT_YET), places })
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(NOT_YET)
    }
}

impl Workers<'_> {
    /// Lets a credential be used, takes it away, and sees that all workers notice.
    fn round(&self, kind: &mut dyn Kind) -> Result<Vec<InForce>> {
        let round = Arc::new(Round::new(self.addresses, &kind.give()?)?);
        self.publish(Some(Arc::clone(&round)))?;
        let all = |count: fn(&PlaceRound) -> &AtomicUsize| {
            let round = &round;
            move || round.places.iter().all(|place| count(place).load(Ordering::SeqCst) >= self.each)
        };
        self.until("the credential is accepted everywhere", all(|place| &place.accepted_before))?;
        round.requested_ns.store(round.now_ns(), Ordering::SeqCst);
        kind.take()?;
        round.acknowledged_ns.store(round.now_ns(), Ordering::SeqCst);
        self.until("the credential is refused everywhere", all(|place| &place.refused_after))?;
        // The same keys may be given again: nobody may still be using them as those of this round.
        self.publish(None)?;
        self.until("no worker uses the credential", || Arc::strong_count(&round) == 1)?;
        let (requested, acknowledged) = (round.requested_ns.load(Ordering::SeqCst), round.acknowledged_ns.load(Ordering::SeqCst));
        let of = |place: &PlaceRound| {
            let last = place.last_accepted_ns.load(Ordering::SeqCst);
            let since = |moment: u64| Duration::from_nanos(last.saturating_sub(moment));
            InForce { since_request: since(requested), since_acknowledgement: since(acknowledged) }
        };
        Ok(round.places.iter().map(of).collect())
    }

    fn publish(&self, round: Option<Arc<Round>>) -> Result<()> {
        *self.round.write().map_err(|_| anyhow::anyhow!("a worker panicked"))? = round;
        self.tell();
        Ok(())
    }

    fn tell(&self) {
        let _turn = self.changed.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.1.notify_all();
    }

    /// Until there is something to be used, or it is over.
    fn wait(&self) -> Result<()> {
        let mut turn = self.changed.0.lock().unwrap_or_else(PoisonError::into_inner);
        while self.present()?.is_none() && !self.over.load(Ordering::SeqCst) {
            turn = self.changed.1.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    fn present(&self) -> Result<Option<Arc<Round>>> {
        Ok(self.round.read().map_err(|_| anyhow::anyhow!("a worker panicked"))?.clone())
    }

    fn until(&self, what: &str, reached: impl Fn() -> bool) -> Result<()> {
        let began = Instant::now();
        while !reached() {
            if began.elapsed() > PATIENCE || self.failed.load(Ordering::SeqCst) {
                let last = self.first_unavailable.lock().unwrap_or_else(PoisonError::into_inner).clone();
                bail!("waited in vain until {what}; the first 503 said {last:?}");
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    fn work(&self, place: usize, number: usize) -> Result<()> {
        let worked = self.exchanges(place, number);
        if worked.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        worked
    }

    fn exchanges(&self, place: usize, number: usize) -> Result<()> {
        let mut connection = Connection::open(self.addresses.get(place).context("no such place")?)?;
        for at in number.. {
            if self.over.load(Ordering::SeqCst) {
                break;
            }
            let Some(round) = self.present()? else {
                self.wait()?;
                continue;
            };
            let here = round.places.get(place).context("a round without this place")?;
            let request = here.requests.get(at % REQUESTS).context("a round without requests")?;
            // Read before the first byte goes out.
            let sent_ns = round.now_ns();
            let (requested, acknowledged) = (round.requested_ns.load(Ordering::SeqCst), round.acknowledged_ns.load(Ordering::SeqCst));
            let answer = connection.exchange(request)?;
            if answer.status == 503 {
                self.unavailable.fetch_add(1, Ordering::SeqCst);
                let mut first = self.first_unavailable.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert_with(|| String::from_utf8_lossy(answer.whole).into_owned());
                continue;
            }
            let says = |words: [&str; 2]| words.iter().any(|word| holds(answer.body(), word));
            let accepted = says(ACCEPTED);
            if !accepted && !says(REFUSED) {
                bail!("unexpected answer {}: {}", answer.status, String::from_utf8_lossy(answer.whole));
            }
            let is_after = acknowledged <= sent_ns;
            self.after.fetch_add(u64::from(is_after), Ordering::SeqCst);
            if accepted && requested <= sent_ns {
                here.last_accepted_ns.fetch_max(sent_ns, Ordering::SeqCst);
            }
            match (accepted, is_after) {
                (true, true) => {
                    let since = Duration::from_nanos(sent_ns.saturating_sub(acknowledged));
                    self.late.fetch_add(u64::from(since > self.bound), Ordering::SeqCst);
                }
                (true, false) => drop(here.accepted_before.fetch_add(1, Ordering::SeqCst)),
                (false, true) => drop(here.refused_after.fetch_add(1, Ordering::SeqCst)),
                (false, false) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::api::Keys;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::atomic::AtomicI64;

    const WORKERS: usize = 64;

    /// A server that accepts as long as there is something left, and a way to take it away: at once, or only after some more requests.
    struct Fake {
        left: Arc<AtomicI64>,
        after_acknowledgement: i64,
    }

    impl Kind for Fake {
        fn give(&mut self) -> Result<Given> {
            self.left.store(i64::MAX, Ordering::SeqCst);
            Ok(Given::Signed { keys: Keys::new("bench/fake", "a"), authorized: None })
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
        let seen = run(&[address], WORKERS, Duration::ZERO, 3, &mut Fake { left, after_acknowledgement }).unwrap();
        (seen.late, seen.after)
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
