//! The servers of one directory: the first that answers is asked, and one that did not is passed over for a short time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::address::Address;

/// A server that did not answer is passed over for so long, while another one does.
const PASSED_OVER: Duration = Duration::from_secs(30);
/// The longest that one of several servers is waited for until there is a connection.
const OPENING: Duration = Duration::from_secs(2);

/// Servers that hold the same.
pub(crate) struct Servers {
    /// In the order of the configuration; never empty.
    addresses: Vec<Address>,
    /// Until when each is passed over.
    dead: Mutex<Vec<Option<Instant>>>,
}

impl Servers {
    pub(super) fn new(addresses: Vec<Address>) -> Arc<Servers> {
        let dead = Mutex::new(vec![None; addresses.len()]);
        Arc::new(Servers { addresses, dead })
    }

    pub(super) fn address(&self, number: usize) -> Option<&Address> {
        self.addresses.get(number)
    }

    /// All, in the order in which they are tried: those that are passed over come last, because nobody else may be there either.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let now = Instant::now();
        let dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner);
        let is_dead = |number: &usize| dead.get(*number).is_some_and(|until| until.is_some_and(|until| now < until));
        let (last, mut first): (Vec<usize>, Vec<usize>) = (0..self.addresses.len()).partition(is_dead);
        first.extend(last);
        first
    }

    /// So long one is waited for; `None`: there is no other one to go on with.
    pub(super) fn opening(&self, whole: Duration) -> Option<Duration> {
        let count = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        (count > 1).then(|| OPENING.min(whole / count))
    }

    fn mark(&self, number: usize) {
        if let Some(until) = self.dead.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            *until = Some(Instant::now() + PASSED_OVER);
        }
    }
}

/// Notes a server that was asked and did not answer, whatever ended the waiting.
pub(super) struct Watch {
    servers: Arc<Servers>,
    pub(super) number: usize,
    waiting: bool,
}

impl Watch {
    /// It is waited for from now on.
    pub(super) fn new(servers: &Arc<Servers>, number: usize) -> Watch {
        Watch { servers: Arc::clone(servers), number, waiting: true }
    }

    pub(super) fn request_sent(&mut self) {
        self.waiting = true;
    }

    pub(super) fn answered(&mut self) {
        self.waiting = false;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.waiting {
            self.servers.mark(self.number);
        }
    }
}
