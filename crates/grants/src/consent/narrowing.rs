//! Less than what was asked for: the person writes what shall stand in the place of a star.

use falconer_scopes::{ScopeSet, is_valid_scope};

use crate::consent::broad::Expansions;
use crate::consent::offer::{Line, Offer};
use crate::consent::request::LONGEST_SCOPE;

/// A star that the person may replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Star {
    /// What stands before it.
    pub prefix: String,
    /// What the person wrote in its place, as they wrote it; empty: the star stays.
    pub written: String,
    /// Why that can't be.
    pub wrong: Option<String>,
    /// What the person has of the scope with its star, where less is granted.
    pub(crate) whole: Option<ScopeSet>,
}

impl Star {
    /// Of a scope that ends in one.
    pub(crate) fn of(scope: &str) -> Option<Star> {
        scope.strip_suffix('*').map(|prefix| Star { prefix: prefix.to_owned(), ..Star::default() })
    }
}

impl Offer {
    /// Puts what the person wrote in the place of stars: pairs of [`Line::key`] and the text. `Some(false)`: a line says what is wrong with it
    /// ([`Star::wrong`]), and has its star still. `None`: one of them belongs to no line with a star, so that the form is none of ours.
    pub(crate) fn narrow(&mut self, written: &[(String, String)], expansions: &Expansions<'_>) -> Option<bool> {
        let mut fine = true;
        for (key, text) in written {
            let text = text.trim();
            let line = self.lines.iter_mut().find(|line| line.key == *key)?;
            line.star.as_mut()?.written = text.to_owned();
            if matches!(text, "" | "*") {
                continue;
            }
            fine &= line.narrow(text, expansions);
        }
        Some(fine)
    }
}

impl Line {
    fn narrow(&mut self, text: &str, expansions: &Expansions<'_>) -> bool {
        let Some(star) = &mut self.star else { return true };
        let scope = format!("{}{text}", star.prefix);
        if !is_valid_scope(&scope) || scope.len() > LONGEST_SCOPE {
            star.wrong = Some("A scope is a line of ASCII characters, of at most 1 KiB.".to_owned());
            return false;
        }
        // The prefix is the one that was asked for; what the person has of that may be less.
        if !self.own.satisfies(&scope) {
            star.wrong = Some(format!("You don't have {scope} yourself, so you can't pass it on."));
            return false;
        }
        let written = ScopeSet::new([&scope]);
        // All that they have, in other letters.
        if written.satisfies_all(self.own.iter()) {
            return true;
        }
        star.whole = Some(std::mem::replace(&mut self.own, written));
        self.closed = expansions.closure([scope.as_str()]);
        self.gives = self.closed.to_vec();
        true
    }
}
