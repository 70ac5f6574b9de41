//! From ticks to a closed set: what is not ticked does not come back through something else.

use falconer_scopes::ScopeSet;

use crate::consent::broad::{ALWAYS, Expansions};
use crate::consent::offer::{Line, Offer};
use falconer_login::fingerprint;

/// Ticks of the form that belong to an offer.
pub(crate) struct Ticks<'a> {
    pub(crate) keys: &'a [String],
    pub(crate) everything: bool,
    pub(crate) broad: bool,
}

/// What the ticks come to.
pub(crate) struct Selection {
    /// Closed and normalized.
    pub(crate) scopes: ScopeSet,
    /// All that was on offer, where no particular scopes were asked for.
    pub(crate) everything: bool,
    /// What was ticked and is not granted, because it would give back what is not ticked.
    pub(crate) taken_away: Vec<String>,
}

/// One tickable thing of an offer.
struct Item<'a> {
    closed: &'a ScopeSet,
    ticked: bool,
    /// What must not come back when it is not ticked: each set as a whole.
    protected: Vec<ScopeSet>,
    taken_away: Vec<String>,
}

/// A scope of a ticked item that gives nothing back by itself.
struct Kept {
    /// Where its item stands.
    item: usize,
    scope: String,
    expansion: ScopeSet,
}

impl Selection {
    /// `None`: a key that the offer does not have.
    pub(crate) fn new(offer: &mut Offer, ticks: &Ticks<'_>, expansions: &Expansions<'_>) -> Option<Selection> {
        let known = |key: &String| offer.lines.iter().any(|l| !l.lacking && l.key == *key);
        if !ticks.keys.iter().all(known) {
            return None;
        }
        let mut items = items(offer, ticks);
        let protected: Vec<ScopeSet> = items.iter().filter(|item| !item.ticked).flat_map(|item| item.protected.iter().cloned()).collect();
        let mut kept: Vec<Kept> = Vec::new();
        for (at, item) in items.iter_mut().enumerate().filter(|(_, item)| item.ticked) {
            // Item by item: a star that goes must not take along what another tick covers by itself.
            for scope in item.closed.iter() {
                let expansion = expansions.expansion(scope);
                if protected.iter().any(|p| expansion.satisfies_all(p.iter())) {
                    item.taken_away.push(scope.to_owned());
                } else {
                    kept.push(Kept { item: at, scope: scope.to_owned(), expansion });
                }
            }
        }
        for lost in split(&mut kept, &protected, expansions) {
            if let Some(item) = items.get_mut(lost.item) {
                item.taken_away.push(lost.scope);
            }
        }
        let everything = offer.lines.is_empty() && items.iter().all(|item| item.ticked);
        let taken: Vec<Vec<String>> = items.into_iter().map(|item| item.taken_away).collect();
        let taken_away = taken.concat();
        offer.show(ticks, taken);
        Some(Selection { scopes: closure(&kept, expansions), everything, taken_away })
    }
}

fn closure(kept: &[Kept], expansions: &Expansions<'_>) -> ScopeSet {
    expansions.closure(kept.iter().map(|kept| kept.scope.as_str()))
}

/// Takes out of `kept` what gives a protected set back only together, and returns that. Of each such set one scope goes, with all that gives
/// it: the one that the fewest give, the first of several. What is gone stays gone, so each set is looked at once.
fn split(kept: &mut Vec<Kept>, protected: &[ScopeSet], expansions: &Expansions<'_>) -> Vec<Kept> {
    let mut lost = Vec::new();
    let mut together = closure(kept, expansions);
    // A single scope comes back through one other or not at all: that has been looked at.
    for set in protected.iter().filter(|set| set.len() > 1) {
        if !together.satisfies_all(set.iter()) {
            continue;
        }
        let givers = |scope: &str| kept.iter().filter(|kept| kept.expansion.satisfies(scope)).count();
        let Some(goes) = set.iter().min_by_key(|scope| givers(scope)) else { continue };
        lost.extend(kept.extract_if(.., |kept| kept.expansion.satisfies(goes)));
        together = closure(kept, expansions);
    }
    lost
}

fn items<'a>(offer: &'a Offer, ticks: &Ticks<'_>) -> Vec<Item<'a>> {
    let is_ticked = |key: &String| ticks.keys.contains(key);
    let item = |closed: &'a ScopeSet, ticked: bool, protected: Vec<ScopeSet>| Item {
        closed,
        ticked,
        // What every grant has is no part of what can be kept back.
        protected: protected
            .into_iter()
            .map(|set| ScopeSet::new(set.iter().filter(|scope| *scope != ALWAYS)))
            .filter(|set| !set.is_empty())
            .collect(),
        taken_away: Vec::new(),
    };
    // Scopes that are ticked by their names: they are wanted, also where one that is not ticked comes to no more than several of them.
    let named: Vec<&str> = offer
        .lines
        .iter()
        .filter(|line| !line.narrowed && whole(line).is_none() && is_ticked(&line.key))
        .map(|line| line.scope.as_str())
        .collect();
    let mut items: Vec<Item<'a>> = Vec::new();
    for line in &offer.lines {
        // Who ticks the whole has ticked its part.
        let covered = line.part_of.as_ref().is_some_and(is_ticked);
        let own = || ScopeSet::new(line.own.iter().filter(|scope| !named.contains(scope)));
        let protected = if covered { Vec::new() } else { vec![own()] };
        items.push(item(&line.closed, is_ticked(&line.key), protected));
    }
    for (bundle, ticked) in [(&offer.everything, ticks.everything), (&offer.broad, ticks.broad)] {
        if let Some(bundle) = bundle {
            let protected = bundle.scopes.iter().map(|scope| ScopeSet::new([scope]));
            items.push(item(&bundle.closed, ticked, protected.collect()));
        }
    }
    // Who writes less than the whole does not want the whole back through another tick. They stand last: no line of the page is theirs.
    for line in offer.lines.iter().filter(|line| is_ticked(&line.key)) {
        items.extend(whole(line).map(|whole| item(&line.closed, false, vec![whole.clone()])));
    }
    items
}

/// What the person has of a scope with a star, where they wrote something narrower.
fn whole(line: &Line) -> Option<&ScopeSet> {
    line.star.as_ref().and_then(|star| star.whole.as_ref())
}

impl Offer {
    /// The page again with the person's ticks and what they cost. `taken` goes in the order of lines, everything, broad.
    fn show(&mut self, ticks: &Ticks<'_>, taken: Vec<Vec<String>>) {
        let mut taken = taken.into_iter();
        for line in &mut self.lines {
            line.ticked = ticks.keys.contains(&line.key);
            line.taken_away = taken.next().unwrap_or_default();
            line.gives.retain(|scope| !line.taken_away.contains(scope));
        }
        for (bundle, ticked) in [(&mut self.everything, ticks.everything), (&mut self.broad, ticks.broad)] {
            if let Some(bundle) = bundle {
                bundle.ticked = ticked;
                bundle.taken_away = taken.next().unwrap_or_default();
            }
        }
    }

    /// Whether a form that was made from `shown` has shown this offer and, where ticks cost something, what they cost.
    pub(crate) fn was_shown(&self, shown: &str, taken_away: &[String]) -> bool {
        let (content, cost) = shown.split_once('.').unwrap_or((shown, ""));
        content == self.shown && (taken_away.is_empty() || cost == cost_of(taken_away))
    }

    /// Makes the form say that the cost has been shown.
    pub(crate) fn show_cost(&mut self, taken_away: &[String]) {
        if !taken_away.is_empty() {
            self.shown = format!("{}.{}", self.shown, cost_of(taken_away));
        }
    }
}

fn cost_of(taken_away: &[String]) -> String {
    fingerprint(taken_away.iter().map(String::as_str))
}

#[cfg(test)]
mod tests;
