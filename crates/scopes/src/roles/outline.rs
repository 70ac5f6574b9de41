//! Where each member of an expansion comes from, in the order in which they follow one another.

use crate::roles::applied::AppliedRoles;
use crate::roles::role::{Compiled, Parameterized};
use crate::scope::{compare, covers};
use crate::scope_set::{Assembly, ScopeSet};
use std::borrow::Cow;

/// The members of an expansion as a byte each: which of the roles that apply grants it. A role's scopes follow one another in their own order, so that nothing more has
/// to be known. Together with the list that was expanded and the roles that apply to it, it becomes the set again without anything being compared, in about the time
/// in which its text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// For each member the number of its source. [`SKIP`] before a number: the next scope of that source is no member, because another one covers it.
    steps: Box<[u8]>,
    /// For the sources whose scopes don't follow one another as they stand: the places of those that are members, in order.
    orders: Box<[(u8, Box<[u16]>)]>,
    members: usize,
    /// Of all members together.
    text_bytes: usize,
    is_json: bool,
}

/// No source has this number.
const SKIP: u8 = u8::MAX;

/// Where scopes come from.
enum Source<'s> {
    Given(Vec<&'s str>),
    Verbatim(&'s Compiled),
    Parameterized(&'s [Parameterized], &'s str),
}

/// A source, and how far it was read.
struct Walk<'s> {
    source: Source<'s>,
    order: Option<&'s [u16]>,
    next: usize,
}

/// A scope of a source that may be a member.
struct Candidate<'s> {
    scope: Cow<'s, str>,
    source: usize,
    place: usize,
}

impl AppliedRoles {
    /// The expansion of `given` as a set, and its outline: none where there are more sources than a byte can tell apart.
    /// INVARIANT: `given` is what these roles apply to.
    pub fn expand<'g>(&self, given: impl IntoIterator<Item = &'g str>) -> (ScopeSet, Option<Outline>) {
        let sources = self.sources(given);
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        for (source, scopes) in sources.iter().enumerate() {
            scopes.each(|place, scope| candidates.push(Candidate { scope, source, place }));
        }
        // Each source is nearly sorted already.
        candidates.sort_by(|a, b| compare(&a.scope, &b.scope));
        candidates.dedup_by(|candidate, kept| covers(&kept.scope, &candidate.scope));
        let text_bytes = candidates.iter().map(|candidate| candidate.scope.len()).sum();
        let mut assembly = Assembly::new(candidates.len(), text_bytes);
        candidates.iter().for_each(|candidate| assembly.push(&candidate.scope));
        let set = assembly.set(None);
        let outline = Outline::new(sources.len(), &candidates, text_bytes, set.is_json());
        (set, outline)
    }

    /// The set of which [`AppliedRoles::expand`] gave this outline. INVARIANT: `given` is the same list.
    pub fn assemble<'g>(&self, given: impl IntoIterator<Item = &'g str>, outline: &Outline) -> ScopeSet {
        let order = |number: usize| outline.orders.iter().find(|(source, _)| usize::from(*source) == number).map(|(_, order)| &**order);
        let walk = |(number, source)| Walk { source, order: order(number), next: 0 };
        let mut walks: Vec<Walk<'_>> = self.sources(given).into_iter().enumerate().map(walk).collect();
        // Below, scopes of all sources are read in turn, a few dozen bytes of each, which waits for the memory at every one where it is not in a cache.
        walks.iter().for_each(|walk| walk.source.read_ahead());
        let mut assembly = Assembly::new(outline.members, outline.text_bytes);
        let mut is_member = true;
        for step in &outline.steps {
            if *step == SKIP {
                is_member = false;
            } else if let Some(walk) = walks.get_mut(usize::from(*step)) {
                let place = walk.order.map_or(walk.next, |order| order.get(walk.next).map_or(usize::MAX, |place| usize::from(*place)));
                walk.next += 1;
                if std::mem::replace(&mut is_member, true) {
                    walk.source.write(place, &mut assembly);
                }
            }
        }
        assembly.set(Some(outline.is_json))
    }

    /// In an order that is the same each time.
    fn sources<'s, 'g: 's>(&'s self, given: impl IntoIterator<Item = &'g str>) -> Vec<Source<'s>> {
        let given: Vec<&'s str> = given.into_iter().map(|scope| -> &'s str { scope }).collect();
        let mut sources = vec![Source::Given(given)];
        for applied in self.iter() {
            sources.extend(applied.verbatim().map(Source::Verbatim));
            sources.extend(applied.parameterized().map(|(scopes, parameter)| Source::Parameterized(scopes, parameter)));
        }
        sources
    }
}

impl Outline {
    fn new(sources: usize, members: &[Candidate<'_>], text_bytes: usize, is_json: bool) -> Option<Outline> {
        if sources > usize::from(SKIP) {
            return None;
        }
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); sources];
        for member in members {
            places.get_mut(member.source)?.push(member.place);
        }
        // Where much is to be skipped, the places take less.
        let is_walked = |places: &[usize]| places.is_sorted() && places.last().is_none_or(|last| last / 2 <= places.len());
        let walked: Vec<bool> = places.iter().map(|places| is_walked(places)).collect();
        let (mut next, mut steps) = (vec![0; sources], Vec::with_capacity(members.len()));
        for member in members {
            let (number, next) = (u8::try_from(member.source).ok()?, next.get_mut(member.source)?);
            if walked.get(member.source) == Some(&true) {
                (*next..member.place).for_each(|_| steps.extend([SKIP, number]));
                *next = member.place + 1;
            }
            steps.push(number);
        }
        let mut orders = Vec::new();
        for (number, places) in places.iter().enumerate().filter(|(number, _)| walked.get(*number) == Some(&false)) {
            let places: Option<Box<[u16]>> = places.iter().map(|place| u16::try_from(*place).ok()).collect();
            orders.push((u8::try_from(number).ok()?, places?));
        }
        Some(Outline { steps: steps.into(), orders: orders.into(), members: members.len(), text_bytes, is_json })
    }

    /// How much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Outline>() + self.steps.len() + self.orders.iter().map(|order| size_of_val(order) + size_of_val(&*order.1)).sum::<usize>()
    }
}

impl<'s> Source<'s> {
    /// Each of the scopes, with its place.
    fn each(&self, mut found: impl FnMut(usize, Cow<'s, str>)) {
        match self {
            Source::Given(scopes) => scopes.iter().enumerate().for_each(|(place, scope)| found(place, Cow::Borrowed(scope))),
            Source::Verbatim(role) => {
                role.sorted().iter().enumerate().for_each(|(place, at)| found(place, Cow::Borrowed(role.scopes.get(*at as usize))));
            }
            Source::Parameterized(scopes, parameter) => {
                scopes.iter().enumerate().for_each(|(place, scope)| found(place, Cow::Owned(scope.with(parameter))));
            }
        }
    }

    /// Has what is read of it brought into the caches of the processor, from one end to the other, which it does ahead by itself.
    fn read_ahead(&self) {
        // What is given is in the request, and a parameter is put into a few scopes.
        if let Source::Verbatim(role) = self {
            role.read_ahead();
        }
    }

    /// Puts the scope of this place behind the others.
    fn write(&self, place: usize, assembly: &mut Assembly) {
        match self {
            Source::Given(scopes) => assembly.push(scopes.get(place).copied().unwrap_or_default()),
            Source::Verbatim(role) => assembly.push(role.sorted().get(place).map_or("", |at| role.scopes.get(*at as usize))),
            Source::Parameterized(scopes, parameter) => {
                assembly.push_parts(scopes.get(place).map_or([""; 3], |scope| scope.parts(parameter)));
            }
        }
    }
}
