//! A sorted and normalized set of scopes.

use crate::buffer::Buffer;
use crate::list;
use crate::scope::{compare, covers, split_star};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Sorted and normalized scopes: no member covers another, so every scope that the set satisfies is covered by exactly one
/// member. Immutable, cheap to clone. Serializes as a JSON array of strings: `["a*","b"]`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ScopeSet {
    /// `None` is the empty set, and only that, so that equality can be derived.
    members: Option<Arc<Members>>,
}

/// All texts in one buffer, which is the JSON array of them as well: a set of a thousand scopes is two allocations, and answering with it costs
/// nothing.
struct Members {
    /// `["a*","b"]`, with the texts as they are.
    text: Text,
    /// How many members.
    count: usize,
    /// Where each member begins, and where one after the last would: `len + 1` numbers. A member ends three bytes before the next begins. Where all texts are the
    /// same in JSON, it is looked for once somebody asks: most of what is put together is only sent.
    starts: OnceLock<Box<[u32]>>,
    /// The JSON array if some text is not the same in JSON, once somebody asks.
    escaped: OnceLock<Box<str>>,
    /// Whether all texts are the same in JSON.
    is_json: bool,
}

/// The array of a set. INVARIANT: it is put together of whole texts.
enum Text {
    Checked(Box<str>),
    /// Nobody has looked at it since, because that takes a good part of the time in which it was put together, and most are only sent. So many bytes of the memory.
    Unchecked(Buffer, usize),
}

/// What stands between two members.
pub(crate) const BETWEEN: &str = "\",\"";
/// What stands before all of them.
pub(crate) const OPEN: &str = "[\"";

impl Text {
    fn bytes(&self) -> &[u8] {
        match self {
            Text::Checked(text) => text.as_bytes(),
            Text::Unchecked(buffer, length) => buffer.bytes().get(..*length).unwrap_or_default(),
        }
    }

    fn part(&self, part: Range<usize>) -> &str {
        match self {
            Text::Checked(text) => text.get(part).unwrap_or_default(),
            Text::Unchecked(..) => self.bytes().get(part).and_then(|part| str::from_utf8(part).ok()).unwrap_or_default(),
        }
    }

    /// How much memory it takes, in bytes.
    fn takes(&self) -> usize {
        match self {
            Text::Checked(text) => text.len(),
            Text::Unchecked(buffer, _) => buffer.bytes().len(),
        }
    }
}

impl Members {
    fn starts(&self) -> &[u32] {
        self.starts.get_or_init(|| {
            let array = self.text.bytes();
            // No text has a quote: each is between two.
            let members = memchr::memchr_iter(b'"', array).step_by(2).map(|quote| position(quote + 1));
            members.chain([position(array.len() + 1)]).collect()
        })
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Members) -> bool {
        // The text alone could be that of other members: a quote is a legal character.
        self.text.bytes() == other.text.bytes() && self.starts() == other.starts()
    }
}

impl Eq for Members {}

impl ScopeSet {
    /// The set of these scopes in any order; sorts and normalizes. Whether the texts are legal scopes is not checked.
    pub fn new<I, S>(scopes: I) -> ScopeSet
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let scopes: Vec<S> = scopes.into_iter().collect();
        ScopeSet::from_texts(scopes.iter().map(AsRef::as_ref).collect())
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator + Clone {
        (0..self.len()).map(|index| self.member(index))
    }

    /// How many members.
    pub fn len(&self) -> usize {
        self.members.as_ref().map_or(0, |members| members.count)
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_none()
    }

    /// The members in order, as owned texts.
    pub fn to_vec(&self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }

    /// Whether some member covers `scope`. O(log n).
    pub fn satisfies(&self, scope: &str) -> bool {
        self.covering(scope).is_some()
    }

    /// Whether every one of `scopes` is satisfied; true for none.
    pub fn satisfies_all<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> bool {
        scopes.into_iter().all(|scope| self.satisfies(scope))
    }

    /// Everything that either set satisfies, and nothing else.
    pub fn union(&self, other: &ScopeSet) -> ScopeSet {
        if self.is_empty() || self == other {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        let mut merged: Vec<&str> = Vec::with_capacity(self.len() + other.len());
        let (mut a, mut b) = (self.iter().peekable(), other.iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if compare(x, y) == Ordering::Greater => b.next(),
                (Some(_), _) => a.next(),
                (None, _) => b.next(),
            };
            let Some(next) = next else { break };
            if !merged.last().is_some_and(|kept| covers(kept, next)) {
                merged.push(next);
            }
        }
        ScopeSet::from_normal(&merged)
    }

    /// The set with one more scope.
    pub fn with(&self, scope: &str) -> ScopeSet {
        if self.includes(scope) { self.clone() } else { self.union(&ScopeSet::from_normal(&[scope])) }
    }

    /// Exactly what both sets satisfy, in normal form.
    ///
    /// This is the normal form of [`list::intersection`], except where a scope ending in `**` is involved: the list operation on `a**` and
    /// `a*` keeps both, because as a text `a*` is covered by `a**`, but holding it satisfies more. Here it goes.
    pub fn intersection(&self, other: &ScopeSet) -> ScopeSet {
        let ours = self.iter().filter(|scope| other.includes(scope));
        let theirs = other.iter().filter(|scope| self.includes(scope));
        ScopeSet::from_texts(ours.chain(theirs).collect())
    }

    /// Whether everything that `scope` covers is satisfied, so that holding it too would change nothing. Not the same as satisfying its
    /// text: `a**` satisfies `a*` and does not include it.
    fn includes(&self, scope: &str) -> bool {
        match split_star(scope) {
            (stem, true) => self.covering(stem).is_some_and(|member| member.ends_with('*')),
            (scope, false) => self.satisfies(scope),
        }
    }

    /// The only member that covers `scope`.
    fn covering(&self, scope: &str) -> Option<&str> {
        // INVARIANT: if a member covers `scope`, it is the last one whose stem is not after `scope`. Whatever stood between the two would
        // begin with the covering member's stem, so it would be covered by it, and the set would not be normalized.
        let after = self.position_of(|stem| stem <= scope.as_bytes());
        after.checked_sub(1).map(|index| self.member(index)).filter(|member| covers(member, scope))
    }

    /// Whether some member begins with `prefix`, or covers it. O(log n).
    pub fn meets(&self, prefix: &str) -> bool {
        // All members that begin with the prefix stand together, and those whose stem is shorter than the prefix cover it.
        self.satisfies(prefix) || self.member(self.position_of(|stem| stem < prefix.as_bytes())).starts_with(prefix)
    }

    /// What the set satisfies among all that begins with `prefix`, in order: the members that begin with it, or `prefix` with a star where one member covers
    /// all of that. The same as the intersection with that one scope, and never a member that is broader. O(log n) and what comes out.
    pub fn below(&self, prefix: &str) -> impl Iterator<Item = Cow<'_, str>> {
        let all = self.covering(prefix).filter(|member| member.ends_with('*')).map(|_| Cow::Owned(format!("{prefix}*")));
        // All members that begin with the prefix stand together. Where there is one that covers them, there is none.
        let first = if all.is_some() { self.len() } else { self.position_of(|stem| stem < prefix.as_bytes()) };
        let members = (first..self.len()).map(move |index| self.member(index)).take_while({
            let prefix = prefix.to_owned();
            move |member| member.starts_with(&prefix)
        });
        all.into_iter().chain(members.map(Cow::Borrowed))
    }

    /// How many members come before the first whose stem is not `before`. INVARIANT: `before` holds for a beginning of the members.
    fn position_of(&self, before: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let member = self.member_bytes(middle);
            if before(member.strip_suffix(b"*").unwrap_or(member)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Sorts and normalizes.
    pub(crate) fn from_texts(mut texts: Vec<&str>) -> ScopeSet {
        list::sort(&mut texts);
        ScopeSet::from_normal(&list::normalize(texts))
    }

    /// INVARIANT: `texts` is sorted and normalized.
    fn from_normal(texts: &[&str]) -> ScopeSet {
        let mut assembly = Assembly::new(texts.len(), texts.iter().map(|text| text.len()).sum());
        texts.iter().for_each(|text| assembly.push(text));
        assembly.set()
    }

    /// INVARIANT: `index < len`; a wrong index gives the empty text rather than a panic.
    fn member(&self, index: usize) -> &str {
        let Some(members) = &self.members else {
            return "";
        };
        match members.starts().get(index..).unwrap_or_default() {
            &[start, next, ..] => members.text.part(start as usize..(next as usize).saturating_sub(BETWEEN.len())),
            _ => "",
        }
    }

    /// The same as bytes, without looking whether they are text again.
    fn member_bytes(&self, index: usize) -> &[u8] {
        let Some(members) = &self.members else {
            return b"";
        };
        match members.starts().get(index..).unwrap_or_default() {
            [start, next, ..] => {
                members.text.bytes().get(*start as usize..(*next as usize).saturating_sub(BETWEEN.len())).unwrap_or_default()
            }
            _ => b"",
        }
    }

    /// The JSON array of the members, ready-made: what serializing gives, without the work.
    pub fn json(&self) -> &str {
        match self.members.as_ref().map(|members| &members.text) {
            Some(Text::Checked(text)) if self.is_json() => text,
            _ => str::from_utf8(self.json_bytes()).unwrap_or("[]"),
        }
    }

    /// The same as bytes. Of a set that was put together of what roles grant, it is there sooner.
    pub fn json_bytes(&self) -> &[u8] {
        match &self.members {
            None => b"[]",
            Some(members) if members.is_json => members.text.bytes(),
            Some(members) => {
                let escaped = || serde_json::to_string(self).map(String::into_boxed_str).unwrap_or_else(|_| "[]".into());
                members.escaped.get_or_init(escaped).as_bytes()
            }
        }
    }

    /// A number that this set has in common with its clones, and with no other set that is there at the same time; 0 for the empty set. For tables
    /// of what was made of a set: as long as the table keeps a clone, the number is the set's.
    pub fn identity(&self) -> usize {
        self.members.as_ref().map_or(0, |members| Arc::as_ptr(members).addr())
    }

    /// Whether the texts are the same in JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.members.as_ref().is_none_or(|members| members.is_json)
    }

    /// How much memory the texts take, in bytes, once somebody has asked for a member. Clones share it.
    pub fn text_bytes(&self) -> usize {
        self.members.as_ref().map_or(0, |members| size_of::<Members>() + members.text.takes() + (members.count + 1) * size_of::<u32>())
    }

    /// The same set for those who keep it: in memory of its own, no more than it needs.
    pub fn to_keep(&self) -> ScopeSet {
        match &self.members {
            Some(members) if matches!(members.text, Text::Unchecked(..)) => ScopeSet::from_normal(&self.iter().collect::<Vec<_>>()),
            _ => self.clone(),
        }
    }

    /// The set of so many members that lie in `array` behind [`OPEN`], each with [`BETWEEN`] behind it, up to `end`. INVARIANT: they are in order, and none covers
    /// another. `starts`: where each begins; none of them if all of them are the same in JSON (`is_json`).
    pub(crate) fn of_array(mut array: Buffer, end: usize, count: usize, mut starts: Vec<u32>, is_json: bool) -> ScopeSet {
        if count == 0 {
            return ScopeSet::default();
        }
        // The quote that the last member ends with stays.
        let length = end - (BETWEEN.len() - 1) + 1;
        if let Some(last) = array.bytes_mut().get_mut(length - 1) {
            *last = b']';
        }
        let known = if is_json {
            OnceLock::new()
        } else {
            starts.push(position(end));
            OnceLock::from(starts.into_boxed_slice())
        };
        ScopeSet::of_members(Text::Unchecked(array, length), count, known, is_json)
    }

    fn of_members(text: Text, count: usize, starts: OnceLock<Box<[u32]>>, is_json: bool) -> ScopeSet {
        ScopeSet { members: Some(Arc::new(Members { text, count, starts, escaped: OnceLock::new(), is_json })) }
    }
}

/// A set that is put together from its members, in order.
pub(crate) struct Assembly {
    text: String,
    starts: Vec<u32>,
}

impl Assembly {
    /// Of so many members with so many bytes together: then nothing grows on the way.
    pub(crate) fn new(members: usize, bytes: usize) -> Assembly {
        let mut text = String::with_capacity(OPEN.len() + bytes + members * BETWEEN.len());
        text.push_str(OPEN);
        Assembly { text, starts: Vec::with_capacity(members + 1) }
    }

    /// The next member. INVARIANT: it comes after all that are there, and none covers another.
    pub(crate) fn push(&mut self, member: &str) {
        self.starts.push(position(self.text.len()));
        self.text.push_str(member);
        self.text.push_str(BETWEEN);
    }

    /// The set of them.
    pub(crate) fn set(mut self) -> ScopeSet {
        let count = self.starts.len();
        if count == 0 {
            return ScopeSet::default();
        }
        self.starts.push(position(self.text.len()));
        // The quote that the last member ends with stays.
        self.text.truncate(self.text.len() - (BETWEEN.len() - 1));
        self.text.push(']');
        let is_json = is_json_array(&self.text, count);
        ScopeSet::of_members(Text::Checked(self.text.into()), count, OnceLock::from(self.starts.into_boxed_slice()), is_json)
    }
}

/// No set has four gigabytes of text: what a request can make of it is bounded far below. Beyond, members would be empty.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Whether an array that was put together of `count` members is JSON: no quotes but those around them, and nothing that needs an escape.
fn is_json_array(array: &str, count: usize) -> bool {
    let bytes = array.as_bytes();
    memchr::memchr_iter(b'"', bytes).count() == 2 * count
        && memchr::memchr(b'\\', bytes).is_none()
        // No early exit, so that the compiler can compare many bytes at once.
        && bytes.iter().fold(true, |all, byte| all & (*byte >= b' '))
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<S: AsRef<str>> FromIterator<S> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> ScopeSet {
        ScopeSet::new(scopes)
    }
}
