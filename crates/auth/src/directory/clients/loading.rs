//! The clients of the next snapshot, while they are loaded.

use falconer_store::ClientRecord;

use super::page::{MOST_BYTES, MOST_CLIENTS, New, Page};
use super::set::ClientSet;

/// One page is put together at a time, so that a million clients are never in memory in two forms at once.
#[derive(Default)]
pub(crate) struct Clients {
    before: ClientSet,
    all: ClientSet,
    /// The clients of the next page.
    page: Vec<New>,
    bytes: usize,
    last: String,
}

impl Clients {
    /// None yet; those of `before` lend the uses that the store does not know.
    pub(crate) fn after(before: &ClientSet) -> Clients {
        Clients { before: before.clone(), all: before.emptied(), ..Clients::default() }
    }

    /// One more. A store gives them in order; it takes longer if it does not.
    pub(crate) fn put(&mut self, record: ClientRecord) {
        let new = New { before: self.before.used(record.client_id.as_bytes()).cloned(), record };
        if self.last >= new.record.client_id && self.all.len() + self.page.len() > 0 {
            self.end_page();
            return self.all.put_new(new);
        }
        self.last.clone_from(&new.record.client_id);
        self.bytes += new.length();
        self.page.push(new);
        if self.page.len() == MOST_CLIENTS || self.bytes >= MOST_BYTES {
            self.end_page();
        }
    }

    /// All of them.
    pub(crate) fn finish(mut self) -> ClientSet {
        self.end_page();
        self.all
    }

    fn end_page(&mut self) {
        self.all.push(Page::of(std::mem::take(&mut self.page)));
        self.bytes = 0;
    }
}
