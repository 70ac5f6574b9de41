//! Expansions as sets: ready to be answered with.

use falconer_scopes::{ScopeSet, takes_part};

use super::cache::Remembered;

/// What a list of scopes comes to, as it is handed out.
#[derive(Clone)]
pub(crate) struct Expansion {
    /// All that the roles give, without what is reserved.
    pub(crate) scopes: ScopeSet,
    /// Whether that is all: the work of one expansion is bounded.
    pub(crate) is_complete: bool,
}

/// The same as it is remembered.
pub(crate) struct Sets {
    /// All that the roles give.
    pub(crate) expanded: ScopeSet,
    /// What is left of it without what is reserved.
    pub(crate) allowed: ScopeSet,
    pub(crate) is_complete: bool,
}

impl Sets {
    /// All of an expansion in which nothing is reserved.
    pub(crate) fn of(scopes: ScopeSet) -> Sets {
        Sets { expanded: scopes.clone(), allowed: scopes, is_complete: true }
    }

    pub(crate) fn expansion(&self) -> Expansion {
        Expansion { scopes: self.allowed.clone(), is_complete: self.is_complete }
    }
}

impl Remembered for Sets {
    fn is_complete(&self) -> bool {
        self.is_complete
    }

    fn is_reached_by<'l>(&self, role_id: &str, _: impl Iterator<Item = &'l str> + Clone) -> bool {
        takes_part(role_id, &self.expanded)
    }

    /// What answers make of a set, they keep themselves.
    fn bytes(&self) -> usize {
        self.expanded.text_bytes() + if self.expanded == self.allowed { 0 } else { self.allowed.text_bytes() }
    }
}
