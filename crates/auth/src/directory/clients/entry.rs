//! A client as it is listed.

use std::sync::Arc;

use falconer_store::ClientRecord;

use super::client::Client;
use super::page::Page;
use super::record::Head;

/// A client in its place among all. What most of those who look through all clients want is read without making anything.
#[derive(Clone, Copy)]
pub struct ClientEntry<'s> {
    page: &'s Page,
    at: usize,
}

impl<'s> ClientEntry<'s> {
    pub(super) fn all(page: &'s Arc<Page>) -> impl Iterator<Item = ClientEntry<'s>> {
        (0..page.len()).map(move |at| ClientEntry::of(page, at))
    }

    pub(super) fn of(page: &'s Page, at: usize) -> ClientEntry<'s> {
        ClientEntry { page, at }
    }

    /// The clientId.
    pub fn id(&self) -> String {
        String::from_utf8(self.page.id(self.at).concat()).unwrap_or_default()
    }

    pub(crate) fn starts_with(&self, prefix: &str) -> bool {
        let [beginning, rest] = self.page.id(self.at);
        match prefix.as_bytes().strip_prefix(beginning) {
            Some(prefix) => rest.starts_with(prefix),
            None => beginning.starts_with(prefix.as_bytes()),
        }
    }

    /// When it ends, in milliseconds since the epoch; microseconds are cut.
    pub fn expires_ms(&self) -> i64 {
        self.head().expires_us.div_euclid(1000)
    }

    /// Whether it may not sign.
    pub fn is_disabled(&self) -> bool {
        self.head().is_disabled()
    }

    /// Whether it wishes to go when it has ended.
    pub(crate) fn delete_on_expiration(&self) -> bool {
        self.head().delete_on_expiration()
    }

    /// Whether there is an access token before the present one whose time is over.
    pub(crate) fn has_ended_old_token(&self, now_ms: i64) -> bool {
        self.head().has_old_token() && self.client().has_ended_old_token(now_ms)
    }

    /// The id of the grant that it was made with.
    pub fn grant(&self) -> Option<&'s str> {
        self.head().grant
    }

    /// All of it. If it was not used yet it is made for whoever asks, so that looking through all of them leaves nothing behind.
    pub fn client(&self) -> Arc<Client> {
        self.page.used(self.at).cloned().unwrap_or_else(|| Arc::new(Client::detached(self.page.record(self.at))))
    }

    /// As stored, but for the last use.
    pub fn record(&self) -> ClientRecord {
        self.client().record()
    }

    fn head(&self) -> Head<'s> {
        self.page.head(self.at)
    }
}
