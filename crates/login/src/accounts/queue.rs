//! Who has a password hashed next: a few at a time, and a fair queue for the rest.
//!
//! Everybody belongs to shares: a network, an account. Each share has one turn a round, so whoever asks a hundred times waits behind whoever
//! asks once. When the queue is full, the one with the latest turn is told to try again: a newcomer with an earlier turn gets that place. A round ends
//! after a number of turns, and every fourth turn goes to whoever has waited longest: strangers who come under a new name each time are always in
//! the earliest round, and would else stand before everybody for ever.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::LoginError;

/// So many turns are a round at most.
const TURNS_OF_A_ROUND: u64 = 16;

/// Who asks for a turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    /// What the turn counts against, such as a network and an account.
    pub(crate) shares: Vec<String>,
    /// Within a round, those who were here before come before strangers.
    pub(crate) known: bool,
}

/// The queue: cheap to clone.
#[derive(Clone)]
pub(crate) struct Queue(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    most_working: usize,
    most_waiting: usize,
    /// Called when nobody works and nobody waits any more.
    when_idle: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    working: usize,
    /// Nobody who comes now gets a turn of an earlier round.
    round: u64,
    /// How many turns were given to those who waited.
    turns: u64,
    /// The round after the last turn of each share.
    next_round_of: HashMap<String, u64>,
    waiting: BTreeMap<Position, oneshot::Sender<Turn>>,
    arrivals: u64,
}

/// In this order they work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    round: u64,
    stranger: bool,
    arrival: u64,
}

/// A place among those that work or wait. Dropping it gives it back.
pub(crate) struct Place(Option<Stage>);

enum Stage {
    Working(Turn),
    Waiting { turn: oneshot::Receiver<Turn>, queue: Queue, position: Position },
}

/// The right to hash one password. The next one works when it is dropped.
pub(crate) struct Turn(Queue);

impl Queue {
    /// `when_idle` is called whenever nobody works and nobody waits any more; somebody may have come again by then.
    pub(crate) fn new(most_working: usize, most_waiting: usize, when_idle: impl Fn() + Send + Sync + 'static) -> Queue {
        Queue(Arc::new(Inner { state: Mutex::default(), most_working, most_waiting, when_idle: Box::new(when_idle) }))
    }

    /// Takes a place. [`LoginError::TooBusy`]: all are taken by people with an earlier turn.
    pub(crate) fn enter(&self, asker: &Asker) -> Result<Place, LoginError> {
        let mut state = self.state();
        let rounds = asker.shares.iter().filter_map(|share| state.next_round_of.get(share));
        let round = rounds.copied().max().unwrap_or(0).max(state.round);
        if state.working < self.0.most_working && state.waiting.is_empty() {
            state.working += 1;
            state.take_round(asker, round, self.0.most_waiting);
            return Ok(Place(Some(Stage::Working(Turn(self.clone())))));
        }
        let position = Position { round, stranger: !asker.known, arrival: state.arrivals };
        if state.waiting.len() >= self.0.most_waiting {
            let last = state.waiting.last_key_value().map(|(last, _)| *last);
            match last.filter(|last| position < *last) {
                // Its receiver sees that the sender is gone.
                Some(last) => drop(state.waiting.remove(&last)),
                None => return Err(LoginError::TooBusy),
            }
        }
        state.arrivals += 1;
        let (sender, turn) = oneshot::channel();
        state.waiting.insert(position, sender);
        state.take_round(asker, round, self.0.most_waiting);
        Ok(Place(Some(Stage::Waiting { turn, queue: self.clone(), position })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The one with the earliest turn; each fourth time the one that has waited longest.
    fn next_to_work(&mut self) -> Option<(Position, oneshot::Sender<Turn>)> {
        if self.turns % 4 == 3 {
            let longest = self.waiting.keys().copied().min_by_key(|position| position.arrival)?;
            return self.waiting.remove_entry(&longest);
        }
        self.waiting.pop_first()
    }

    fn take_round(&mut self, asker: &Asker, round: u64, most_waiting: usize) {
        // What lies behind says nothing any more. Two shares for each who waits, and as many again before anything is looked through.
        if self.next_round_of.len() > most_waiting.saturating_mul(4).max(64) {
            let present = self.round;
            self.next_round_of.retain(|_, next| *next > present);
            // So many at once are no share of anybody.
            if self.next_round_of.len() > most_waiting.saturating_mul(16).max(256) {
                self.next_round_of.clear();
            }
        }
        for share in &asker.shares {
            self.next_round_of.insert(share.clone(), round + 1);
        }
    }
}

impl Place {
    /// Waits for the turn. [`LoginError::TooBusy`]: the place was given to somebody with an earlier turn.
    pub(crate) async fn turn(mut self) -> Result<Turn, LoginError> {
        // It stays in its place meanwhile: whoever goes away while waiting leaves the queue.
        if let Some(Stage::Waiting { turn, .. }) = &mut self.0 {
            return turn.await.map_err(|_| LoginError::TooBusy);
        }
        match self.0.take() {
            Some(Stage::Working(turn)) => Ok(turn),
            _ => Err(LoginError::TooBusy),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(Stage::Waiting { queue, position, .. }) = &self.0 {
            queue.state().waiting.remove(position);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (next, is_idle) = {
            let mut state = self.0.state();
            match state.next_to_work() {
                Some((position, sender)) => {
                    state.round = state.round.max(position.round);
                    state.turns += 1;
                    if state.turns.is_multiple_of(TURNS_OF_A_ROUND) {
                        state.round += 1;
                    }
                    (Some(sender), false)
                }
                None => {
                    state.working = state.working.saturating_sub(1);
                    if state.working == 0 {
                        state.next_round_of = HashMap::new();
                        state.round = 0;
                    }
                    (None, state.working == 0)
                }
            }
        };
        // Whoever has gone away hands the turn on by dropping it.
        if let Some(sender) = next {
            drop(sender.send(Turn(self.0.clone())));
        }
        if is_idle {
            (self.0.0.when_idle)();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::task::Poll;

    use super::*;

    fn from(shares: &[&str], known: bool) -> Asker {
        Asker { shares: shares.iter().map(|share| (*share).to_owned()).collect(), known }
    }

    async fn is_waiting<T>(mut future: Pin<&mut impl Future<Output = T>>) -> bool {
        poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
    }

    #[tokio::test]
    async fn who_finds_no_place_is_turned_away_and_who_waits_gets_a_turn() {
        let queue = Queue::new(1, 1, || {});
        let working = queue.enter(&Asker::default()).unwrap().turn().await.unwrap();
        let mut waiting = pin!(queue.enter(&Asker::default()).unwrap().turn());
        assert!(is_waiting(waiting.as_mut()).await);
        assert_eq!(queue.enter(&Asker::default()).err(), Some(LoginError::TooBusy));
        drop(working);
        drop(waiting.await.unwrap());
        // All that was remembered is forgotten when nobody is left.
        assert_eq!(queue.state().working, 0);
        assert!(queue.enter(&Asker::default()).is_ok());
    }

    /// Forty loops held all places for ever, and nobody else got one.
    #[tokio::test]
    async fn one_network_takes_turns_with_others() {
        let queue = Queue::new(1, 4, || {});
        let working = queue.enter(&from(&["crowd"], false)).unwrap().turn().await.unwrap();
        let mut crowd: Vec<_> = (0..4).map(|_| Box::pin(queue.enter(&from(&["crowd"], false)).unwrap().turn())).collect();
        assert!(queue.enter(&from(&["crowd"], false)).is_err());
        // Somebody else takes the last of the crowd's places, and is next.
        let mut other = pin!(queue.enter(&from(&["other", "ann"], false)).unwrap().turn());
        assert_eq!(crowd.pop().unwrap().await.err(), Some(LoginError::TooBusy));
        // Somebody known comes before a stranger of the same round.
        let known = queue.enter(&from(&["home"], true)).unwrap();
        assert_eq!(crowd.pop().unwrap().await.err(), Some(LoginError::TooBusy));
        drop(working);
        let turn = known.turn().await.unwrap();
        assert!(is_waiting(other.as_mut()).await);
        drop(turn);
        drop(other.await.unwrap());
        for waiting in crowd {
            drop(waiting.await.unwrap());
        }
        assert_eq!(queue.state().working, 0);
    }

    /// Strangers who came under a new name each time were always in the earliest round, and whoever came back had no turn as long as they came.
    #[tokio::test]
    async fn who_comes_back_has_a_turn_among_ever_new_strangers() {
        let queue = Queue::new(1, 8, || {});
        let mut working = queue.enter(&from(&["home", "ann"], true)).unwrap().turn().await.unwrap();
        let stranger = |n: usize| Box::pin(queue.enter(&from(&[&format!("stranger {n}")], false)).unwrap().turn());
        let mut strangers: Vec<_> = (0..4).map(stranger).collect();
        let mut back = Box::pin(queue.enter(&from(&["home", "ann"], true)).unwrap().turn());
        for n in 4..20 {
            strangers.push(stranger(n));
            drop(working);
            if !is_waiting(back.as_mut()).await {
                return;
            }
            working = poll_fn(|cx| {
                let polled = strangers.iter_mut().enumerate().find_map(|(at, turn)| match turn.as_mut().poll(cx) {
                    Poll::Ready(turn) => Some((at, turn.unwrap())),
                    Poll::Pending => None,
                });
                let (at, turn) = polled.expect("somebody works");
                drop(strangers.remove(at));
                Poll::Ready(turn)
            })
            .await;
        }
        panic!("no turn among sixteen strangers");
    }

    /// Many addresses against one account are one share too.
    #[tokio::test]
    async fn one_account_takes_turns_with_others() {
        let queue = Queue::new(1, 8, || {});
        let working = queue.enter(&from(&["a", "ann"], false)).unwrap().turn().await.unwrap();
        let crowd: Vec<_> = ["b", "c", "d"].map(|network| queue.enter(&from(&[network, "ann"], false)).unwrap()).into();
        let bob = queue.enter(&from(&["e", "bob"], false)).unwrap();
        drop(working);
        drop(bob.turn().await.unwrap());
        for place in crowd {
            drop(place.turn().await.unwrap());
        }
    }

    #[tokio::test]
    async fn who_goes_away_leaves_the_queue() {
        let queue = Queue::new(1, 1, || {});
        let working = queue.enter(&Asker::default()).unwrap().turn().await.unwrap();
        {
            let mut waiting = pin!(queue.enter(&Asker::default()).unwrap().turn());
            assert!(is_waiting(waiting.as_mut()).await);
        }
        let waiting = queue.enter(&Asker::default()).unwrap();
        drop(working);
        // The turn was given, and nobody takes it.
        drop(waiting);
        assert_eq!(queue.state().working, 0);
    }

    #[tokio::test]
    async fn it_is_idle_when_the_last_turn_is_over_and_not_before() {
        let idle = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let (times, counted) = (Arc::clone(&idle), || idle.load(std::sync::atomic::Ordering::Relaxed));
        let queue = Queue::new(2, 1, move || _ = times.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let [first, second, third] = [0, 1, 2].map(|_| queue.enter(&Asker::default()).unwrap());
        drop(first.turn().await.unwrap());
        assert_eq!(counted(), 0, "one works and one waits");
        drop(third.turn().await.unwrap());
        assert_eq!(counted(), 0, "one works");
        // A place that nobody made anything of.
        drop(second);
        assert_eq!(counted(), 1);
    }
}
