//! Grants that were looked for in the store, and are not there: whoever goes on using what they gave costs no further look.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use falconer_store::Revision;

/// More are not remembered: they are looked for again.
const MOST: usize = 4096;

/// Grants that the store does not have. This holds for one revision: at another one each may be there.
#[derive(Default)]
pub(crate) struct UnknownGrants(Mutex<UnknownAtRevision>);

#[derive(Default)]
struct UnknownAtRevision {
    revision: Revision,
    ids: HashSet<String>,
}

impl UnknownGrants {
    /// Whether the grant was looked for at this revision.
    pub(crate) fn has(&self, id: &str, revision: Revision) -> bool {
        let unknown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.revision == revision && unknown.ids.contains(id)
    }

    /// It was looked for at this revision, and is not there.
    pub(crate) fn note(&self, id: &str, revision: Revision) {
        let mut unknown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.revision != revision || unknown.ids.len() >= MOST {
            *unknown = UnknownAtRevision { revision, ids: HashSet::new() };
        }
        unknown.ids.insert(id.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sought_holds_for_its_revision_and_within_the_bound() {
        let unknown = UnknownGrants::default();
        unknown.note("a", Revision(1));
        assert!(unknown.has("a", Revision(1)) && !unknown.has("b", Revision(1)) && !unknown.has("a", Revision(2)));
        unknown.note("b", Revision(2));
        assert!(!unknown.has("a", Revision(1)) && unknown.has("b", Revision(2)));
        for n in 0..2 * MOST {
            unknown.note(&n.to_string(), Revision(2));
        }
        assert!(unknown.0.lock().unwrap().ids.len() <= MOST);
    }
}
