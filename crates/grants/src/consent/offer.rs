//! What the grant page shows.
//!
//! A request without scopes is offered as one or two bundles, a request with scopes as lines. Each holds a closed set: equal to its own
//! expansion at the time of the offer.

use falconer_scopes::ScopeSet;

use crate::consent::broad::Expansions;
use crate::consent::lifetime::{self, Lifetime};
use crate::consent::narrowing::Star;
use crate::consent::request::GrantRequest;
use crate::words::describe::{Description, LabelPart};
use falconer_login::fingerprint;

/// More scopes than this are offered in bundles.
const MOST_LINES: usize = 200;

/// Everything that a person can choose on the grant page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// One for each scope asked for (two where it is broad in part); empty when the request asks for no particular ones.
    pub lines: Vec<Line>,
    /// "Everything that you may do, except what is broad": only when the request asks for no particular scopes.
    pub everything: Option<Bundle>,
    /// "And these broad ones": the same.
    pub broad: Option<Bundle>,
    /// How long, shortest first; never empty.
    pub lifetimes: Vec<Lifetime>,
    /// Which of them is chosen beforehand, in milliseconds.
    pub default_lifetime_ms: i64,
    /// The person must type the host before anything is granted.
    pub needs_host_typed: bool,
    /// The administrator knows this target by this name.
    pub registered_name: Option<String>,
    /// "Let ... know who you are": only when the request asks for it.
    pub identity_line: Option<IdentityLine>,
    /// "Don't ask again for so long": only where the application allows it. Never ticked beforehand.
    pub remember: Option<Lifetime>,
    /// Goes into the form as it is ([`crate::Choices::shown`]): what is granted is what was shown, or the page is shown again.
    pub shown: String,
}

/// One scope asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The value of the tick box. It stands for the scope and all that it gives: when that changes, so does the key.
    pub key: String,
    /// As asked for.
    pub scope: String,
    /// The heading it belongs under, such as `notes`.
    pub group: String,
    /// The scope in words.
    pub label: Vec<LabelPart>,
    /// What the person has of it, before expansion; empty when they lack it.
    pub has: Vec<String>,
    /// What would be granted: a closed, normalized list. Empty when the person lacks it.
    pub gives: Vec<String>,
    /// Marked, and not ticked beforehand for a target that the administrator has not registered.
    pub broad: bool,
    /// What the scope gives, but for what is broad of it; the scope itself is on a line of its own.
    pub narrowed: bool,
    /// To be shown with a tick.
    pub ticked: bool,
    /// The person does not have it: there is nothing to tick.
    pub lacking: bool,
    /// The person has it in part only: that part is what the line gives.
    pub partial: bool,
    /// The last grant to this site did not give this.
    pub new: bool,
    /// The star at its end, in whose place the person may write something narrower.
    pub star: Option<Star>,
    /// What was taken away again because another line that it would give back is not ticked. Only after [`crate::GrantError::Review`].
    pub taken_away: Vec<String>,
    /// The part of the scope that the person has, before expansion.
    pub(crate) own: ScopeSet,
    pub(crate) closed: ScopeSet,
    /// The line of the whole scope, for a narrowed one.
    pub(crate) part_of: Option<String>,
}

/// Many scopes behind one tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What the tick adds, normalized.
    pub scopes: Vec<String>,
    /// How many that are.
    pub count: usize,
    /// To be shown with a tick.
    pub ticked: bool,
    /// As [`Line::taken_away`].
    pub taken_away: Vec<String>,
    /// How many of them the last grant to this site did not give; 0 where there was none.
    pub new: usize,
    pub(crate) closed: ScopeSet,
}

/// Who may learn who the person is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityLine {
    /// The target's own origin first.
    pub origins: Vec<String>,
    /// To be shown with a tick.
    pub ticked: bool,
}

/// What is known besides the request.
pub(crate) struct Circumstances<'a> {
    /// The person's present scopes, expanded.
    pub(crate) of_person: &'a ScopeSet,
    pub(crate) expansions: Expansions<'a>,
    pub(crate) registered_name: Option<String>,
    /// An administrator has registered whoever asks: what is broad is ticked. Falconer's own command has a name, and anybody can say that they are it.
    pub(crate) is_vouched_for: bool,
    /// The person has typed this origin's host before.
    pub(crate) remembered: bool,
    /// What the last grant to this site gave.
    pub(crate) before: Option<ScopeSet>,
    pub(crate) max_ttl_ms: i64,
    /// Of an agent: what is chosen beforehand.
    pub(crate) agent_ttl_ms: Option<i64>,
    /// For how long the application may go unasked, if the person wants it.
    pub(crate) remember_ms: Option<i64>,
}

impl Offer {
    pub(crate) fn new(request: &GrantRequest, circumstances: &Circumstances<'_>) -> Offer {
        let Circumstances { of_person, expansions, .. } = circumstances;
        let registered = circumstances.registered_name.is_some();
        let (lifetimes, default_lifetime_ms) = lifetime::choices(circumstances.max_ttl_ms, request.ttl_ms_wish, circumstances.agent_ttl_ms);
        let (lines, everything, broad) = if request.names_nothing() {
            let (everything, broad) = bundles(of_person, expansions);
            (Vec::new(), everything, broad)
        } else {
            let lines = request.scopes.iter();
            let lines = lines.flat_map(|scope| lines_of(scope, of_person, expansions, circumstances.is_vouched_for));
            (lines.collect(), None, None)
        };
        let mut offer = Offer {
            lines,
            everything,
            broad,
            lifetimes,
            default_lifetime_ms,
            needs_host_typed: !registered && !circumstances.remembered,
            registered_name: circumstances.registered_name.clone(),
            identity_line: request.identity.then(|| identity_line(request)),
            remember: circumstances.remember_ms.map(Lifetime::of),
            shown: String::new(),
        };
        if let Some(before) = &circumstances.before {
            offer.mark_new(before);
        }
        offer.shown = offer.content();
        offer
    }

    fn mark_new(&mut self, before: &ScopeSet) {
        for line in &mut self.lines {
            line.new = !before.satisfies_all(line.closed.iter());
        }
        for bundle in [&mut self.everything, &mut self.broad].into_iter().flatten() {
            bundle.new = bundle.scopes.iter().filter(|scope| !before.satisfies(scope)).count();
        }
    }

    /// What a program on the person's own machine is offered. Without particular scopes: all that the person has, one by one, as long as
    /// one person can read that many lines.
    pub(crate) fn for_tool(
        scopes: &[String],
        of_person: &ScopeSet,
        expansions: &Expansions<'_>,
        (lifetimes, default_lifetime_ms): (Vec<Lifetime>, i64),
    ) -> Offer {
        let (mut lines, mut everything, mut broad) = (Vec::new(), None, None);
        if !scopes.is_empty() {
            lines = scopes.iter().flat_map(|scope| lines_of(scope, of_person, expansions, false)).collect();
        } else if of_person.len() <= MOST_LINES {
            // What a line gives that is not broad has lines of its own here.
            lines =
                of_person.iter().flat_map(|scope| lines_of(scope, of_person, expansions, false)).filter(|line| !line.narrowed).collect();
        } else {
            (everything, broad) = bundles(of_person, expansions);
        }
        let mut offer = Offer {
            lines,
            everything,
            broad,
            lifetimes,
            default_lifetime_ms,
            needs_host_typed: false,
            registered_name: None,
            identity_line: None,
            remember: None,
            shown: String::new(),
        };
        offer.shown = offer.content();
        offer
    }

    /// Stands for everything that was offered, but for ticks and lifetimes.
    fn content(&self) -> String {
        let mut parts: Vec<&str> = self.lines.iter().map(|line| line.key.as_str()).collect();
        for bundle in [&self.everything, &self.broad] {
            parts.push("bundle");
            parts.extend(bundle.iter().flat_map(|b| b.scopes.iter().map(String::as_str)));
        }
        parts.push("identity");
        parts.extend(self.identity_line.iter().flat_map(|line| line.origins.iter().map(String::as_str)));
        // Who is said to ask: what the administrator calls the site or the application.
        parts.push("name");
        parts.extend(self.registered_name.as_deref());
        // For how long they would not be asked.
        parts.extend(self.remember.iter().flat_map(|remember| ["remember", remember.label.as_str()]));
        fingerprint(parts)
    }

    /// Whether there is anything that could be ticked.
    pub fn has_anything(&self) -> bool {
        self.everything.is_some() || self.broad.is_some() || self.identity_line.is_some() || self.lines.iter().any(|line| !line.lacking)
    }
}

fn identity_line(request: &GrantRequest) -> IdentityLine {
    let mut origins = vec![request.site().origin()];
    for origin in &request.audience {
        if !origins.contains(origin) {
            origins.push(origin.clone());
        }
    }
    IdentityLine { origins, ticked: true }
}

fn bundles(of_person: &ScopeSet, expansions: &Expansions<'_>) -> (Option<Bundle>, Option<Bundle>) {
    let everything = expansions.without_broad(of_person);
    let broad: Vec<&str> = of_person.iter().filter(|s| !everything.satisfies(s)).collect();
    let bundle = |added: ScopeSet, closed: ScopeSet, ticked| {
        (!added.is_empty()).then(|| Bundle { scopes: added.to_vec(), count: added.len(), ticked, taken_away: Vec::new(), new: 0, closed })
    };
    let added = ScopeSet::new(&broad);
    let closed = expansions.closure(broad);
    (bundle(everything.clone(), everything, true), bundle(added, closed, false))
}

fn lines_of(scope: &str, of_person: &ScopeSet, expansions: &Expansions<'_>, is_vouched_for: bool) -> Vec<Line> {
    let requested = ScopeSet::new([scope]);
    let own = requested.intersection(of_person);
    let description = expansions.describe(scope);
    let has = own.to_vec();
    let line = |own: ScopeSet, closed: ScopeSet, broad: bool, narrowed: bool| Line {
        key: key(scope, narrowed, broad, &description, &closed),
        scope: scope.to_owned(),
        group: description.group.clone(),
        label: description.label.clone(),
        has: has.clone(),
        gives: closed.to_vec(),
        broad,
        narrowed,
        ticked: !closed.is_empty() && (!broad || is_vouched_for),
        lacking: closed.is_empty(),
        partial: !own.is_empty() && !narrowed && !own.satisfies(scope),
        new: false,
        star: if narrowed || closed.is_empty() { None } else { Star::of(scope) },
        taken_away: Vec::new(),
        own,
        closed,
        part_of: None,
    };
    let closed = expansions.closure(own.iter());
    if !expansions.holds_broad(&closed) {
        return vec![line(own, closed, false, false)];
    }
    let rest = expansions.without_broad(&closed);
    let whole = line(own, closed, true, false);
    if rest.is_empty() {
        return vec![whole];
    }
    let mut narrowed = line(rest.clone(), rest, false, true);
    narrowed.part_of = Some(whole.key.clone());
    vec![narrowed, whole]
}

/// What a tick stands for, with what is said of it: services may say something else at any time, and nobody has agreed to that.
fn key(scope: &str, narrowed: bool, broad: bool, said: &Description, closed: &ScopeSet) -> String {
    let kind = if narrowed { "narrowed" } else { "whole" };
    let risk = if broad { "broad" } else { "ordinary" };
    let said = said.label.iter().map(|part| part.text.as_str());
    fingerprint([kind, risk, scope].into_iter().chain(said).chain(["gives"]).chain(closed.iter()))
}
