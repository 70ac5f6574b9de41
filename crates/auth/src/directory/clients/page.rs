//! Some clients that lie beside one another, in one piece of memory.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use falconer_store::ClientRecord;
use zeroize::Zeroizing;

use super::client::Client;
use super::numbers::Reader;
use super::record::{self, Head, Since};
use super::words::{Words, common};

/// So many clients a page has at most. A change copies its page.
pub(super) const MOST_CLIENTS: usize = 64;
/// A page that is longer than that is parted, unless it is of one client alone.
pub(super) const MOST_BYTES: usize = 16 * 1024;

/// A client that is put into a page, and how it was in memory before if it was used.
pub(super) struct New {
    pub(super) record: ClientRecord,
    pub(super) before: Option<Arc<Client>>,
}

/// At least one client, ascending by the bytes of the clientId.
pub(super) struct Page {
    /// The first clientId.
    first: Box<[u8]>,
    /// So many bytes of it all clientIds begin with; they are in no record.
    prefix: usize,
    since: Since,
    words: Words,
    /// Where each record begins.
    starts: Box<[u32]>,
    /// Wiped when dropped: access tokens are among it.
    records: Zeroizing<Box<[u8]>>,
    /// Those that were used, once one was.
    used: OnceLock<Box<[OnceLock<Arc<Client>>]>>,
}

impl Page {
    /// The page of these clients, which are ascending; `None` of none.
    pub(super) fn of(clients: Vec<New>) -> Option<Page> {
        let (first, last) = (&clients.first()?.record, &clients.last()?.record);
        let since = Since { expires_us: first.expires_us, created_ms: first.created_ms };
        let id = first.client_id.as_bytes();
        // Of one client alone: what others will have too.
        let alone = || id.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let prefix = if clients.len() == 1 { alone() } else { common(id, last.client_id.as_bytes()) };
        let mut words = Words::default();
        let written: Vec<_> = clients
            .iter()
            .map(|new| record::write(&new.record, new.record.client_id.as_bytes().get(prefix..).unwrap_or_default(), since, &mut words))
            .collect();
        words.shrink();
        let mut parts = Parts::of(written.iter().map(|record| record.len()).sum(), written.len());
        written.iter().for_each(|record| parts.add(record));
        let mut page =
            Page { first: id.into(), prefix, since, words, starts: Box::default(), records: Zeroizing::default(), used: OnceLock::new() };
        parts.finish(&mut page);
        if clients.iter().any(|new| new.before.is_some()) {
            page.used = OnceLock::from(clients.into_iter().map(New::used).collect::<Box<[_]>>());
        }
        Some(page)
    }

    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Where the client is, or where it would be.
    pub(super) fn find(&self, client_id: &[u8]) -> Result<usize, usize> {
        let prefix = self.prefix();
        let Some(rest) = client_id.strip_prefix(prefix) else {
            return Err(if client_id < prefix { 0 } else { self.len() });
        };
        self.starts.binary_search_by(|start| self.reader(*start).text().cmp(rest))
    }

    /// The client at this place, made of its record if it was not used yet.
    pub(super) fn client(&self, at: usize) -> Option<&Arc<Client>> {
        let used = self.used.get_or_init(|| self.starts.iter().map(|_| OnceLock::new()).collect());
        Some(used.get(at)?.get_or_init(|| Arc::new(Client::new(&self.record(at), None))))
    }

    /// The same where it was used.
    pub(super) fn used(&self, at: usize) -> Option<&Arc<Client>> {
        self.used.get()?.get(at)?.get()
    }

    pub(super) fn has_used(&self) -> bool {
        self.used.get().is_some()
    }

    /// As if none was used, but with the last uses; `None` where none was.
    pub(super) fn put_away(&self) -> Option<Page> {
        let put_away = |new: New| {
            let last_ms = new.before.map_or(i64::MIN, |before| before.last_date_used_ms());
            let last_date_used_ms = new.record.last_date_used_ms.max(last_ms);
            New { record: ClientRecord { last_date_used_ms, ..new.record }, before: None }
        };
        if self.has_used() { Page::of(self.taken().map(put_away).collect()) } else { None }
    }

    /// The clientId at this place, in two parts.
    pub(super) fn id(&self, at: usize) -> [&[u8]; 2] {
        [self.prefix(), self.reader_at(at).text()]
    }

    pub(super) fn head(&self, at: usize) -> Head<'_> {
        let mut reader = self.reader_at(at);
        reader.text();
        Head::read(reader, self.since)
    }

    /// As it was put in.
    pub(super) fn record(&self, at: usize) -> ClientRecord {
        let client_id = String::from_utf8(self.id(at).concat()).unwrap_or_default();
        self.head(at).record(client_id, self.since, &self.words)
    }

    /// With this client, added or in the place of the one of its id: in one page or in two.
    pub(super) fn with(&self, mut new: New) -> [Option<Page>; 2] {
        let id = new.record.client_id.as_bytes();
        let found = self.find(id);
        let (at, end) = found.map_or_else(|at| (at, at), |at| (at, at + 1));
        new.before = new.before.or_else(|| self.used(found.ok()?).cloned());
        let len = self.len() + 1 - (end - at);
        if let Some(rest) = id.strip_prefix(self.prefix()).filter(|_| len <= MOST_CLIENTS) {
            let mut words = self.words.clone();
            let written = record::write(&new.record, rest, self.since, &mut words);
            if len == 1 || self.records.len() + written.len() <= MOST_BYTES {
                words.shrink();
                let first = if at == 0 { id.into() } else { self.first.clone() };
                return [Some(self.edited(at..end, Some((&written, new)), words, first)), None];
            }
        }
        let mut all: Vec<New> = self.taken().collect();
        let bytes = self.records.len() + new.length();
        all.splice(at..end, [new]);
        let is_parted = all.len() > MOST_CLIENTS || (all.len() > 1 && bytes > MOST_BYTES);
        let rest = if is_parted { all.split_off(all.len() / 2) } else { Vec::new() };
        [Page::of(all), Page::of(rest)]
    }

    /// Without the client at this place; `None` where it is the only one.
    pub(super) fn without(&self, at: usize) -> Option<Page> {
        let first = if at == 0 { self.id(1).concat().into() } else { self.first.clone() };
        (self.len() > 1).then(|| self.edited(at..at + 1, None, self.words.clone(), first))
    }

    /// The others stay as they are written.
    fn edited(&self, range: Range<usize>, new: Option<(&[u8], New)>, words: Words, first: Box<[u8]>) -> Page {
        let (written, new) = new.unzip();
        let gone: usize = range.clone().map(|at| self.bytes(at).len()).sum();
        let len = self.len() - range.len() + usize::from(new.is_some());
        let mut parts = Parts::of(self.records.len() - gone + written.map_or(0, <[u8]>::len), len);
        (0..range.start).for_each(|at| parts.add(self.bytes(at)));
        written.into_iter().for_each(|written| parts.add(written));
        (range.end..self.len()).for_each(|at| parts.add(self.bytes(at)));
        let used = if self.used.get().is_some() || new.as_ref().is_some_and(|new| new.before.is_some()) {
            let kept = |at: usize| self.used(at).cloned().map_or_else(OnceLock::new, OnceLock::from);
            let used = (0..range.start).map(kept).chain(new.map(New::used)).chain((range.end..self.len()).map(kept));
            OnceLock::from(used.collect::<Box<[_]>>())
        } else {
            OnceLock::new()
        };
        let (prefix, since) = (self.prefix, self.since);
        let mut page = Page { first, prefix, since, words, starts: Box::default(), records: Zeroizing::default(), used };
        parts.finish(&mut page);
        page
    }

    /// All clients, to be put into another page.
    pub(super) fn taken(&self) -> impl Iterator<Item = New> {
        (0..self.len()).map(|at| New { record: self.record(at), before: self.used(at).cloned() })
    }

    fn prefix(&self) -> &[u8] {
        self.first.get(..self.prefix).unwrap_or_default()
    }

    fn reader(&self, start: u32) -> Reader<'_> {
        Reader(self.records.get(start as usize..).unwrap_or_default())
    }

    fn reader_at(&self, at: usize) -> Reader<'_> {
        Reader(self.bytes(at))
    }

    fn bytes(&self, at: usize) -> &[u8] {
        let start = |at: usize| self.starts.get(at).map_or(self.records.len(), |start| *start as usize);
        self.records.get(start(at)..start(at + 1)).unwrap_or_default()
    }
}

impl New {
    /// About so many bytes it takes in a page.
    pub(super) fn length(&self) -> usize {
        let ClientRecord { client_id, description, scopes, .. } = &self.record;
        client_id.len() + description.len() + scopes.iter().map(String::len).sum::<usize>()
    }

    /// In memory from the beginning if it was used before, so that no use is lost.
    fn used(self) -> OnceLock<Arc<Client>> {
        match self.before {
            Some(before) => OnceLock::from(Arc::new(Client::new(&self.record, Some(&before)))),
            None => OnceLock::new(),
        }
    }
}

/// The records of a page while they are put together.
struct Parts {
    starts: Vec<u32>,
    records: Zeroizing<Vec<u8>>,
}

impl Parts {
    /// INVARIANT: so many are added, neither more nor fewer, so that no token is left behind in memory of another size.
    fn of(bytes: usize, clients: usize) -> Parts {
        Parts { starts: Vec::with_capacity(clients), records: Zeroizing::new(Vec::with_capacity(bytes)) }
    }

    fn add(&mut self, record: &[u8]) {
        // No page comes near four gigabytes: what a request may hold is bounded far below.
        self.starts.push(u32::try_from(self.records.len()).unwrap_or(u32::MAX));
        self.records.extend_from_slice(record);
    }

    fn finish(mut self, page: &mut Page) {
        page.starts = self.starts.into_boxed_slice();
        page.records = Zeroizing::new(std::mem::take(&mut *self.records).into_boxed_slice());
    }
}
