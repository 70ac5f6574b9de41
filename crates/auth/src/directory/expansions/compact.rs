//! Expansions as the roles that apply: enough to decide by, and to put the set together again, in a small part of the memory that a set takes.

use std::sync::Arc;

use falconer_scopes::{AppliedRoles, Outline, ScopeSet};

use super::cache::Remembered;
use crate::reserved;

/// More applications of roles than this are not looked through for a verdict: a set is asked in less time.
const MOST_APPLIED: usize = 512;
/// The same of the scopes of a list.
const MOST_GIVEN: usize = 64;

/// The roles that apply to a list; nothing where a set is the better way, whatever the roles are.
pub(crate) struct Compact {
    applied: Option<Arc<AppliedRoles>>,
    form: Form,
    /// Whether a verdict is found in a short time.
    decides: bool,
}

/// How the set is put together.
enum Form {
    /// Nobody has wanted it yet.
    NotWanted,
    Outline(Outline),
    /// There is no way but expanding.
    None,
}

impl Compact {
    /// To decide by. `applied`: of a list of so many scopes.
    pub(crate) fn new(given: usize, applied: impl FnOnce() -> Option<AppliedRoles>) -> Compact {
        let applied = if given > MOST_GIVEN { None } else { applied() };
        match applied.filter(|applied| applied.len() <= MOST_APPLIED) {
            Some(applied) => Compact { applied: Some(Arc::new(applied)), form: Form::NotWanted, decides: true },
            None => Compact { applied: None, form: Form::NotWanted, decides: false },
        }
    }

    /// To decide by and to make sets of; with the set, where that can be. `given`: the list without what is reserved.
    pub(crate) fn outlined<'l>(given: impl Iterator<Item = &'l str> + Clone, applied: Option<AppliedRoles>) -> (Compact, Option<ScopeSet>) {
        let Some(applied) = applied.map(Arc::new) else {
            return (Compact { applied: None, form: Form::None, decides: false }, None);
        };
        let decides = applied.len() <= MOST_APPLIED && given.clone().nth(MOST_GIVEN).is_none();
        let (set, outline) = applied.expand(given);
        // What roles make that is reserved is not handed out: hardly a set has any.
        match outline.filter(|_| !reserved::has_reserved(&set)) {
            Some(outline) => {
                let set = Some(set.clone());
                (Compact { applied: Some(Arc::clone(&applied)), form: Form::Outline(outline), decides }, set)
            }
            None => (Compact { applied: decides.then(|| Arc::clone(&applied)), form: Form::None, decides }, None),
        }
    }

    /// What a verdict is found by.
    pub(crate) fn applied(&self) -> Option<Arc<AppliedRoles>> {
        self.applied.clone().filter(|_| self.decides)
    }

    /// The set.
    pub(crate) fn set<'l>(&self, given: impl Iterator<Item = &'l str>) -> Assembled {
        match (&self.applied, &self.form) {
            (Some(applied), Form::Outline(outline)) => applied.assemble(given, outline).map_or(Assembled::Never, Assembled::Set),
            (_, Form::NotWanted) => Assembled::NotYet,
            (_, Form::None | Form::Outline(_)) => Assembled::Never,
        }
    }
}

/// What becomes of putting a set together.
pub(crate) enum Assembled {
    Set(ScopeSet),
    /// Nobody has wanted it before.
    NotYet,
    /// It has to be expanded.
    Never,
}

impl Remembered for Compact {
    /// Where there is nothing to decide by, nothing can become wrong; but a change may make a way where there is none.
    fn is_complete(&self) -> bool {
        !matches!(self.form, Form::None)
    }

    fn is_reached_by<'l>(&self, role_id: &str, list: impl Iterator<Item = &'l str> + Clone) -> bool {
        self.applied.as_ref().is_some_and(|applied| applied.takes_part(list, role_id))
    }

    fn bytes(&self) -> usize {
        let outline = if let Form::Outline(outline) = &self.form { outline.bytes() } else { 0 };
        self.applied.as_ref().map_or(0, |applied| size_of::<AppliedRoles>() + applied.bytes()) + outline
    }
}
