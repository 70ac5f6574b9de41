//! The recent refusals: so many, the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::node::Auth;
use crate::refusals::record::{NewRefusal, Refusal};

/// The recent refusals of a node.
pub(crate) struct Refusals {
    most: usize,
    /// Stands before what is kept in place of a MAC. Never leaves the process.
    secret: [u8; 32],
    recent: Mutex<VecDeque<Arc<Refusal>>>,
}

impl Refusals {
    pub(crate) fn new(most: usize, secret: [u8; 32]) -> Refusals {
        Refusals { most, secret, recent: Mutex::default() }
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    fn keep(&self, refusal: Refusal) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.len() >= self.most {
            recent.pop_front();
        }
        recent.push_back(Arc::new(refusal));
    }

    fn find(&self, id: &str) -> Option<Arc<Refusal>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().find(|refusal| refusal.id == id).map(Arc::clone)
    }
}

impl Auth {
    /// Keeps a refusal within the bound of the settings, and gives it a name that nobody can guess.
    pub fn note_refusal(&self, new: NewRefusal<'_>) -> String {
        let (node, id) = (&self.node, self.node.slugid());
        if node.refusals.most > 0 {
            node.refusals.keep(Refusal::new(id.clone(), self.now_ms(), new, node.refusals.secret()));
        }
        id
    }

    /// A refusal that this node remembers.
    pub(crate) fn refusal(&self, id: &str) -> Option<Arc<Refusal>> {
        self.node.refusals.find(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusals::record::{RefusedBy, RefusedFor};

    #[test]
    fn the_oldest_goes_first() {
        let ring = Refusals::new(3, [0; 32]);
        for id in ["a", "b", "c", "d"] {
            let why = RefusedFor::Scopes { client_id: None, missing: None, required: None };
            let new = NewRefusal { by: RefusedBy::Api, parts: None, why, payload_hash: None };
            ring.keep(Refusal::new(id.to_owned(), 0, new, ring.secret()));
        }
        let found: Vec<bool> = ["a", "b", "c", "d", "e"].into_iter().map(|id| ring.find(id).is_some()).collect();
        assert_eq!(found, [false, true, true, true, false]);
    }
}
