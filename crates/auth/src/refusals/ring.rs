//! The recent refusals: so many, the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use falconer_credentials::RefusalSecret;

use crate::refusals::record::Refusal;

/// The recent refusals of a node.
pub(crate) struct Refusals {
    most: usize,
    /// Stands before what is kept in place of a MAC. Never leaves the process.
    secret: RefusalSecret,
    recent: Mutex<VecDeque<Arc<Refusal>>>,
}

impl Refusals {
    pub(crate) fn new(most: usize, secret: &[u8; 32]) -> Refusals {
        Refusals { most, secret: RefusalSecret::new(secret), recent: Mutex::default() }
    }

    pub(crate) fn secret(&self) -> &RefusalSecret {
        &self.secret
    }

    /// Keeps one, in place of the oldest where there are many.
    pub(crate) fn keep(&self, refusal: Refusal) {
        if self.most == 0 {
            return;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.len() >= self.most {
            recent.pop_front();
        }
        recent.push_back(Arc::new(refusal));
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Refusal>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().find(|refusal| refusal.id == id).map(Arc::clone)
    }
}

impl Refusals {
    /// The newest that are let through, newest first.
    pub(crate) fn newest(&self, most: usize, is_shown: impl Fn(&Refusal) -> bool) -> Vec<Arc<Refusal>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().filter(|refusal| is_shown(refusal)).take(most).map(Arc::clone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusals::record::{NewRefusal, RefusedBy, RefusedFor};

    #[test]
    fn the_oldest_goes_first() {
        let ring = Refusals::new(3, &[0; 32]);
        for id in ["a", "b", "c", "d"] {
            let why = RefusedFor::Scopes { client_id: None, missing: None, required: None };
            let new = NewRefusal { by: RefusedBy::Api, parts: None, why, payload_hash: None };
            ring.keep(Refusal::new(id.to_owned(), 0, new, ring.secret()));
        }
        let found: Vec<bool> = ["a", "b", "c", "d", "e"].into_iter().map(|id| ring.find(id).is_some()).collect();
        assert_eq!(found, [false, true, true, true, false]);
        let newest = |most| ring.newest(most, |refusal| refusal.id != "c").iter().map(|refusal| refusal.id.clone()).collect::<Vec<_>>();
        assert_eq!((newest(9), newest(1)), (vec!["d".to_owned(), "b".to_owned()], vec!["d".to_owned()]));
    }
}
