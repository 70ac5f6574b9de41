//! Expansions as the roles that apply: enough to decide by, in a small part of the memory that a set takes.

use std::sync::Arc;

use falconer_scopes::AppliedRoles;

use super::cache::Remembered;

/// More applications of roles than this are not looked through: a set is asked in less time.
const MOST_APPLIED: usize = 64;
/// The same of the scopes of a list.
const MOST_GIVEN: usize = 64;

/// The roles that apply to a list; nothing where a set is the better way, whatever the roles are.
pub(crate) struct Compact(Option<Arc<AppliedRoles>>);

impl Compact {
    /// `applied`: of a list of so many scopes.
    pub(crate) fn new(given: usize, applied: impl FnOnce() -> Option<AppliedRoles>) -> Compact {
        if given > MOST_GIVEN {
            return Compact(None);
        }
        Compact(applied().filter(|applied| applied.len() <= MOST_APPLIED).map(Arc::new))
    }

    pub(crate) fn applied(&self) -> Option<Arc<AppliedRoles>> {
        self.0.clone()
    }
}

impl Remembered for Compact {
    /// Where there is nothing, nothing can become wrong.
    fn is_complete(&self) -> bool {
        true
    }

    fn is_reached_by<'l>(&self, role_id: &str, list: impl Iterator<Item = &'l str> + Clone) -> bool {
        self.0.as_ref().is_some_and(|applied| applied.takes_part(list, role_id))
    }

    fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |applied| size_of::<AppliedRoles>() + applied.bytes())
    }
}
