//! What is broad, and what is left of a set without it.

use falconer_scopes::{ScopeSet, covers};

use crate::words::describe::Description;
use crate::words::published::ScopeWords;

/// The scope that every grant has, whatever was chosen.
pub(crate) const ALWAYS: &str = "auth:current-scopes";
/// What begins with `auth:` and lets somebody look at themselves only.
const HARMLESS: [&str; 2] = [ALWAYS, "auth:expand-scopes"];

/// Scopes and what they expand to, at one revision.
#[derive(Clone, Copy)]
pub(crate) struct Expansions<'a> {
    expand: &'a (dyn Fn(&[&str]) -> ScopeSet + Sync),
    words: &'a ScopeWords,
}

impl<'a> Expansions<'a> {
    /// `expand` = role expansion.
    pub(crate) fn new(expand: &'a (dyn Fn(&[&str]) -> ScopeSet + Sync), words: &'a ScopeWords) -> Expansions<'a> {
        Expansions { expand, words }
    }

    /// Says in words what a scope allows.
    pub(crate) fn describe(&self, scope: &str) -> Description {
        self.words.describe(scope)
    }

    /// What the scopes come to together.
    pub(crate) fn closure<'s>(&self, scopes: impl IntoIterator<Item = &'s str>) -> ScopeSet {
        let scopes: Vec<&str> = scopes.into_iter().collect();
        (self.expand)(&scopes)
    }

    /// What one scope comes to. Only what meets `assume:` can come to more than itself.
    pub(crate) fn expansion(&self, scope: &str) -> ScopeSet {
        if scope.starts_with("assume:") || covers(scope, "assume:") { (self.expand)(&[scope]) } else { ScopeSet::new([scope]) }
    }

    /// Whether a scope is broad, or expands to something that is.
    pub(crate) fn is_broad(&self, scope: &str) -> bool {
        self.words.is_broad(scope) || self.holds_broad(&self.expansion(scope))
    }

    /// Whether one of the scopes is broad by itself. For a closed set that is all that there is to ask.
    pub(crate) fn holds_broad(&self, closed: &ScopeSet) -> bool {
        closed.iter().any(|scope| self.words.is_broad(scope))
    }

    /// The largest closed part of a closed set that holds nothing broad.
    pub(crate) fn without_broad(&self, closed: &ScopeSet) -> ScopeSet {
        self.closure(closed.iter().filter(|scope| !self.is_broad(scope)))
    }
}

/// Whether somebody who has it sees or changes who may do what.
pub(crate) fn is_broad_alone(scope: &str) -> bool {
    if scope.starts_with("auth:") {
        return !HARMLESS.contains(&scope);
    }
    covers(scope, "auth:") || covers(scope, "assume:")
}
