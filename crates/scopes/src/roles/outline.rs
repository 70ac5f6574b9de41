//! Where each member of an expansion comes from, in the order in which they follow one another.

use crate::roles::applied::AppliedRoles;
use crate::roles::pieces::{Pieces, Step, put_together};
use crate::roles::role::{Compiled, Parameterized};
use crate::scope::{compare, covers};
use crate::scope_set::{Assembly, ScopeSet};
use crate::texts::{Span, read_ahead};
use std::borrow::Cow;
use std::hint::black_box;
use std::ops::Range;

/// The members of an expansion as a number each: which of the roles that apply grants it. A role's scopes follow one another in their own order, so that nothing more has
/// to be known. Together with the list that was expanded and the roles that apply to it, it becomes the set again without anything being compared, in about the time
/// in which its text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    steps: Steps,
    /// For the sources whose scopes don't follow one another as they stand: the places of those that are members, in order.
    orders: Box<[(u16, Box<[u16]>)]>,
    members: usize,
    /// Of all members together.
    text_bytes: usize,
    is_json: bool,
}

/// For each member twice the number of its source; one more says that the next scope of that source is no member, because another one covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Steps {
    /// Where a byte can tell the sources apart.
    Narrow(Box<[u8]>),
    Wide(Box<[u16]>),
}

/// Where scopes come from.
enum Source<'s> {
    Given(Vec<&'s str>),
    Verbatim(&'s Compiled),
    Parameterized(&'s Compiled, &'s str),
}

/// Where the scopes of a source lie, in the order in which they are taken.
enum Location<'s> {
    /// As the role has them.
    AsGranted(&'s [u8], &'s [Span]),
    /// In another order, which is in the new texts.
    Ordered(&'s [u8], Range<usize>),
    /// In the new texts, in the order in which they are there.
    InNewTexts(Range<usize>),
}

/// What lies nowhere as it is needed.
struct NewTexts {
    text: Vec<u8>,
    spans: Vec<Span>,
}

/// A scope of a source that may be a member.
struct Candidate<'s> {
    scope: Cow<'s, str>,
    source: usize,
    place: usize,
}

impl AppliedRoles {
    /// The expansion of `given` as a set, and its outline: none where there are tens of thousands of sources.
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
        let set = assembly.set();
        let outline = Outline::new(sources.len(), &candidates, text_bytes, set.is_json());
        (set, outline)
    }

    /// The set of which [`AppliedRoles::expand`] gave this outline. INVARIANT: `given` is the same list. `None`: the outline is of something else.
    pub fn assemble<'g>(&self, given: impl IntoIterator<Item = &'g str>, outline: &Outline) -> Option<ScopeSet> {
        let sources = self.sources(given);
        read_all_ahead(&sources, outline);
        // Nearly always enough, so that nothing grows on the way.
        let mut new_texts = NewTexts { text: Vec::with_capacity(8 << 10), spans: Vec::with_capacity(256) };
        let mut orders = outline.orders.iter().peekable();
        let mut locations: Vec<Location<'_>> = Vec::with_capacity(sources.len());
        for (number, source) in sources.iter().enumerate() {
            let order = orders.next_if(|(of, _)| usize::from(*of) == number).map(|(_, order)| &**order);
            locations.push(source.locate(order, &mut new_texts));
        }
        let mut pieces: Vec<Pieces<'_>> = locations.iter().map(|location| location.pieces(&new_texts)).collect();
        let Outline { members, text_bytes, is_json, .. } = *outline;
        match &outline.steps {
            Steps::Narrow(steps) => {
                put_together(&mut pieces, steps.iter().map(|step| step_of((*step).into())), members, text_bytes, is_json)
            }
            Steps::Wide(steps) => put_together(&mut pieces, steps.iter().map(|step| step_of((*step).into())), members, text_bytes, is_json),
        }
    }

    /// In an order that is the same each time.
    fn sources<'s, 'g: 's>(&'s self, given: impl IntoIterator<Item = &'g str>) -> Vec<Source<'s>> {
        let given: Vec<&'s str> = given.into_iter().map(|scope| -> &'s str { scope }).collect();
        let mut sources = vec![Source::Given(given)];
        for applied in self.iter() {
            sources.extend(applied.verbatim().map(Source::Verbatim));
            sources.extend(applied.parameterized().map(|(role, parameter)| Source::Parameterized(role, parameter)));
        }
        sources
    }
}

fn step_of(number: usize) -> Step {
    Step { source: number >> 1, skips: number & 1 == 1 }
}

impl Outline {
    fn new(sources: usize, members: &[Candidate<'_>], text_bytes: usize, is_json: bool) -> Option<Outline> {
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); sources];
        for member in members {
            places.get_mut(member.source)?.push(member.place);
        }
        // Where much is to be skipped, the places take less.
        let is_walked = |places: &[usize]| places.is_sorted() && places.last().is_none_or(|last| last / 2 <= places.len());
        let walked: Vec<bool> = places.iter().map(|places| is_walked(places)).collect();
        let (mut next, mut steps) = (vec![0; sources], Vec::with_capacity(members.len()));
        for member in members {
            let (number, next) = (u16::try_from(member.source).ok()?.checked_mul(2)?, next.get_mut(member.source)?);
            if walked.get(member.source) == Some(&true) {
                steps.extend((*next..member.place).map(|_| number + 1));
                *next = member.place + 1;
            }
            steps.push(number);
        }
        let mut orders = Vec::new();
        for (number, places) in places.iter().enumerate().filter(|(number, _)| walked.get(*number) == Some(&false)) {
            let places: Option<Box<[u16]>> = places.iter().map(|place| u16::try_from(*place).ok()).collect();
            orders.push((u16::try_from(number).ok()?, places?));
        }
        let narrow: Option<Box<[u8]>> = steps.iter().map(|step| u8::try_from(*step).ok()).collect();
        let steps = narrow.map_or_else(|| Steps::Wide(steps.into()), Steps::Narrow);
        Some(Outline { steps, orders: orders.into(), members: members.len(), text_bytes, is_json })
    }

    /// How much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let steps = match &self.steps {
            Steps::Narrow(steps) => size_of_val(&**steps),
            Steps::Wide(steps) => size_of_val(&**steps),
        };
        size_of::<Outline>() + steps + self.orders.iter().map(|order| size_of_val(order) + size_of_val(&*order.1)).sum::<usize>()
    }
}

impl<'s> Source<'s> {
    /// Each of the scopes, with its place.
    fn each(&self, mut found: impl FnMut(usize, Cow<'s, str>)) {
        match self {
            Source::Given(scopes) => scopes.iter().enumerate().for_each(|(place, scope)| found(place, Cow::Borrowed(scope))),
            Source::Verbatim(role) => {
                role.sorted().iter().enumerate().for_each(|(place, span)| found(place, Cow::Borrowed(role.scopes.at(*span))));
            }
            Source::Parameterized(role, parameter) => {
                role.parameterized().enumerate().for_each(|(place, scope)| found(place, Cow::Owned(scope.with(parameter))));
            }
        }
    }

    /// Where the scopes lie, in this order or else in their own.
    fn locate(&self, order: Option<&[u16]>, new_texts: &mut NewTexts) -> Location<'s> {
        let first = new_texts.spans.len();
        match (self, order) {
            (Source::Given(scopes), order) => taken(scopes, order, |scope| new_texts.push([scope])),
            (Source::Parameterized(role, parameter), None) => role.parameterized().for_each(|scope| new_texts.push(scope.parts(parameter))),
            (Source::Parameterized(role, parameter), order) => {
                let scopes: Vec<Parameterized<'_>> = role.parameterized().collect();
                taken(&scopes, order, |scope| new_texts.push(scope.parts(parameter)));
            }
            (Source::Verbatim(role), None) => {
                let (text, spans) = role.pieces();
                return Location::AsGranted(text, spans);
            }
            (Source::Verbatim(role), order) => {
                taken(role.sorted(), order, |span| new_texts.spans.push(*span));
                return Location::Ordered(role.scopes.bytes(), first..new_texts.spans.len());
            }
        }
        Location::InNewTexts(first..new_texts.spans.len())
    }
}

/// Has what is read of the roles brought into the caches of the processor. Scopes of all of them are read in turn later, a few dozen bytes of each, which waits for
/// the memory at every one where it is not there.
fn read_all_ahead(sources: &[Source<'_>], outline: &Outline) {
    // What is given is in the request, and the text that a parameter is put into lies beside what is granted as it stands.
    let granted = || sources.iter().filter_map(|source| if let Source::Verbatim(role) = source { Some(role.pieces()) } else { None });
    let with_token = || {
        sources
            .iter()
            .filter_map(|source| if let Source::Parameterized(role, _) = source { Some(role.parameterized_places()) } else { None })
    };
    // First where it lies, and where each piece begins, so that the memory is asked for all of these at once.
    let granted: Vec<(&[u8], &[Span])> = granted().collect();
    granted.iter().for_each(|(text, spans)| {
        black_box((text.first().copied(), spans.first().map(|span| span.start)));
    });
    with_token().for_each(read_ahead);
    outline.orders.iter().for_each(|(_, places)| read_ahead(places));
    for (text, spans) in granted {
        read_ahead(spans);
        read_ahead(text);
    }
}

/// Each of these, or those of these places.
fn taken<T>(all: &[T], order: Option<&[u16]>, take: impl FnMut(&T)) {
    match order {
        None => all.iter().for_each(take),
        Some(order) => order.iter().filter_map(|place| all.get(usize::from(*place))).for_each(take),
    }
}

impl NewTexts {
    fn push<const N: usize>(&mut self, parts: [&str; N]) {
        let start = self.text.len();
        parts.into_iter().for_each(|part| self.text.extend_from_slice(part.as_bytes()));
        // What a request makes of its list is bounded far below four gigabytes.
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        self.spans.push(Span { start: number(start), length: number(self.text.len() - start) });
    }
}

impl Location<'_> {
    fn pieces<'p>(&'p self, new_texts: &'p NewTexts) -> Pieces<'p> {
        let spans = |range: &Range<usize>| new_texts.spans.get(range.clone()).unwrap_or_default();
        match self {
            Location::AsGranted(text, spans) => Pieces::new(text, spans),
            Location::Ordered(text, range) => Pieces::new(text, spans(range)),
            Location::InNewTexts(range) => Pieces::new(&new_texts.text, spans(range)),
        }
    }
}
