//! All clients of a snapshot, ascending by the bytes of the clientId.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use falconer_store::ClientRecord;

use super::client::Client;
use super::entry::ClientEntry;
use super::page::{MOST_CLIENTS, New, Page};

/// So many pages are in one branch at most. A change copies where the pages of its branch are, and where the branches are.
const MOST_PAGES: usize = 128;

/// Cheap to clone: a change shares all but the page that it is in with the set before.
#[derive(Clone, Default)]
pub(crate) struct ClientSet {
    /// None is empty.
    branches: Arc<Vec<Arc<Vec<Arc<Page>>>>>,
    len: usize,
    /// How many clients are at hand since they were last put away, in this set and those that it comes from.
    at_hand: Arc<AtomicUsize>,
}

/// Where a page is.
#[derive(Clone, Copy)]
struct Place {
    branch: usize,
    page: usize,
}

impl ClientSet {
    /// Without clients; those that are put in may be at hand already.
    pub(super) fn emptied(&self) -> ClientSet {
        ClientSet { at_hand: Arc::clone(&self.at_hand), ..ClientSet::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, client_id: &[u8]) -> Option<&Arc<Client>> {
        let page = self.page(self.place(client_id))?;
        let at = page.find(client_id).ok()?;
        page.used(at).or_else(|| {
            self.at_hand.fetch_add(1, Ordering::Relaxed);
            page.client(at)
        })
    }

    /// How many clients are at hand, about.
    pub(crate) fn at_hand(&self) -> usize {
        self.at_hand.load(Ordering::Relaxed)
    }

    /// Puts away all clients of the branch of this number, with their last uses. Whether there is such a branch.
    pub(crate) fn put_away(&mut self, number: usize) -> bool {
        let branches = Arc::make_mut(&mut self.branches);
        let Some(branch) = branches.get_mut(number) else { return false };
        if number == 0 {
            self.at_hand.store(0, Ordering::Relaxed);
        }
        if branch.iter().any(|page| page.has_used()) {
            let put_away = |page: &Arc<Page>| page.put_away().map_or_else(|| Arc::clone(page), Arc::new);
            *branch = Arc::new(branch.iter().map(put_away).collect());
        }
        true
    }

    /// The same as it is listed.
    pub(crate) fn entry(&self, client_id: &[u8]) -> Option<ClientEntry<'_>> {
        let page = self.page(self.place(client_id))?;
        Some(ClientEntry::of(page, page.find(client_id).ok()?))
    }

    /// The same where it was used.
    pub(super) fn used(&self, client_id: &[u8]) -> Option<&Arc<Client>> {
        let page = self.page(self.place(client_id))?;
        page.used(page.find(client_id).ok()?)
    }

    /// From this clientId on.
    pub(crate) fn from(&self, client_id: &[u8]) -> impl Iterator<Item = ClientEntry<'_>> {
        let place = self.place(client_id);
        let first = self.page(place).map_or(0, |page| page.find(client_id).unwrap_or_else(|at| at));
        let pages = self.branches.iter().enumerate().skip(place.branch).flat_map(move |(number, branch)| {
            let skipped = if number == place.branch { place.page } else { 0 };
            branch.iter().skip(skipped)
        });
        pages.flat_map(ClientEntry::all).skip(first)
    }

    /// Adds or replaces a client.
    pub(crate) fn put(&mut self, record: ClientRecord) {
        self.put_new(New { record, before: None });
    }

    pub(super) fn put_new(&mut self, new: New) {
        let place = self.place(new.record.client_id.as_bytes());
        match self.page(place).cloned() {
            Some(page) => self.replace(place, 1, page.with(new).into_iter().flatten()),
            None => self.push(Page::of(vec![new])),
        }
    }

    /// Clients that are all behind those that are there.
    pub(super) fn push(&mut self, page: Option<Page>) {
        let Some(page) = page else { return };
        let branches = Arc::make_mut(&mut self.branches);
        self.len += page.len();
        match branches.last_mut().filter(|branch| branch.len() < MOST_PAGES) {
            Some(branch) => Arc::make_mut(branch).push(Arc::new(page)),
            None => branches.push(Arc::new(vec![Arc::new(page)])),
        }
    }

    pub(crate) fn remove(&mut self, client_id: &[u8]) {
        let place = self.place(client_id);
        let Some(page) = self.page(place).cloned() else { return };
        let Ok(at) = page.find(client_id) else { return };
        let next = self.page(Place { page: place.page + 1, ..place }).cloned();
        match next.filter(|next| page.len() + next.len() <= MOST_CLIENTS / 2) {
            // Else pages of one client would be left where many were deleted.
            Some(next) => {
                let mut clients: Vec<New> = page.taken().collect();
                clients.remove(at);
                clients.extend(next.taken());
                self.replace(place, 2, Page::of(clients).into_iter());
            }
            None => self.replace(place, 1, page.without(at).into_iter()),
        }
    }

    /// Puts others in the place of so many pages.
    fn replace(&mut self, place: Place, count: usize, pages: impl Iterator<Item = Page>) {
        let branches = Arc::make_mut(&mut self.branches);
        let Some(branch) = branches.get_mut(place.branch).map(Arc::make_mut) else { return };
        let pages: Vec<Arc<Page>> = pages.map(Arc::new).collect();
        self.len += pages.iter().map(|page| page.len()).sum::<usize>();
        self.len -= branch.splice(place.page..place.page + count, pages).map(|page| page.len()).sum::<usize>();
        if branch.is_empty() {
            branches.remove(place.branch);
        } else if branch.len() > MOST_PAGES {
            let rest = branch.split_off(branch.len() / 2);
            branches.insert(place.branch + 1, Arc::new(rest));
        }
    }

    /// The page that the clientId is in, or would be in.
    fn place(&self, client_id: &[u8]) -> Place {
        let begins = |page: &Arc<Page>| page.first() <= client_id;
        // What is before the first one would be in the first one, so that it needs no look.
        let branch = self.branches.get(1..).unwrap_or_default().partition_point(|branch| branch.first().is_some_and(begins));
        let pages = self.branches.get(branch).map(|pages| pages.as_slice()).unwrap_or_default();
        Place { branch, page: pages.get(1..).unwrap_or_default().partition_point(begins) }
    }

    fn page(&self, place: Place) -> Option<&Arc<Page>> {
        self.branches.get(place.branch)?.get(place.page)
    }
}

#[cfg(test)]
mod tests {
    use falconer_store::{OldToken, RevokedCertificates, Secret};
    use std::collections::BTreeMap;

    use super::*;
    use crate::directory::clients::Clients;

    /// The same in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % bound
        }

        fn id(&mut self) -> String {
            match self.below(4) {
                0 => format!("project/{}/{:04}", self.below(3), self.below(2000)),
                1 => format!("{:x}", self.below(3000)),
                2 => "a".repeat(1 + self.below(40)),
                _ => format!("oidc/somebody@example.com/{:07}", self.below(5000)),
            }
        }

        fn record(&mut self, client_id: String) -> ClientRecord {
            let token = match self.below(3) {
                0 => "t".repeat(self.below(100)),
                _ => falconer_credentials::new_access_token([self.below(256) as u8; 32]).expose().to_owned(),
            };
            let scopes = match self.below(500) {
                0 => 1500,
                other => other % 7,
            };
            let at_ms = 1_767_225_600_000 + self.below(1_000_000) as i64;
            ClientRecord {
                description: "d\u{e9}".repeat(self.below(3) * 10),
                access_token: Secret::new(token),
                expires_us: at_ms * 1000 + self.below(5) as i64,
                created_ms: at_ms,
                last_modified_ms: at_ms + self.below(1000) as i64,
                last_date_used_ms: 1_767_225_600_000,
                last_rotated_ms: at_ms - self.below(2) as i64,
                delete_on_expiration: self.below(2) == 0,
                scopes: (0..scopes).map(|n| format!("service:{n}:{client_id}:{}", self.below(9))).collect(),
                disabled: self.below(5) == 0,
                grant: (self.below(5) == 0).then(|| "0123456789012345678901".to_owned()),
                old_token: (self.below(7) == 0)
                    .then(|| OldToken { token: Secret::new("o".repeat(self.below(100))), ends_ms: at_ms + self.below(1000) as i64 - 500 }),
                revoked: RevokedCertificates { before_ms: (self.below(9) == 0).then_some(at_ms), ..RevokedCertificates::default() },
                client_id,
            }
        }
    }

    fn assert_same(set: &ClientSet, model: &BTreeMap<String, ClientRecord>) {
        assert_eq!(set.len(), model.len());
        assert!(set.from(b"").map(|entry| entry.record()).eq(model.values().cloned()));
        for branch in set.branches.iter() {
            assert!((1..=MOST_PAGES).contains(&branch.len()) && branch.iter().all(|page| (1..=MOST_CLIENTS).contains(&page.len())));
        }
    }

    #[test]
    fn clients_are_found_and_listed_as_in_an_ordered_map_and_a_set_that_was_cloned_stays() {
        let (mut numbers, mut set, mut model) = (Numbers(1), ClientSet::default(), BTreeMap::new());
        let mut earlier = Vec::new();
        for round in 0..2000 {
            let id = numbers.id();
            // First they become many, at last few.
            if numbers.below(2000) + 500 < round {
                set.remove(id.as_bytes());
                model.remove(&id);
            } else {
                let record = numbers.record(id.clone());
                set.put(record.clone());
                model.insert(id.clone(), record);
            }
            let other = numbers.id();
            for id in [&id, &other] {
                assert_eq!(set.get(id.as_bytes()).map(|client| client.record()).as_ref(), model.get(id), "{id}");
            }
            let next = set.from(other.as_bytes()).next().map(|entry| entry.id());
            assert_eq!(next.as_ref(), model.range(other.clone()..).next().map(|(id, _)| id), "{other}");
            if round % 500 == 499 {
                earlier.push((set.clone(), model.clone()));
            }
        }
        earlier.push((set, model));
        earlier.iter().for_each(|(set, model)| assert_same(set, model));
    }

    #[test]
    fn clients_that_are_loaded_are_those_that_were_given_in_whichever_order() {
        let (mut numbers, mut model, mut loaded) = (Numbers(2), BTreeMap::new(), Clients::default());
        for _ in 0..3000 {
            let id = numbers.id();
            model.insert(id.clone(), numbers.record(id));
        }
        for record in model.values().chain(model.values().take(100)) {
            loaded.put(record.clone());
        }
        assert_same(&loaded.finish(), &model);
    }

    #[test]
    fn a_client_that_was_used_stays_the_same_until_it_is_changed_and_takes_its_uses_along() {
        let (mut numbers, mut set) = (Numbers(3), ClientSet::default());
        let ids: Vec<String> = (0..500).map(|n| format!("c/{n:03}")).collect();
        for id in &ids {
            let record = numbers.record(id.clone());
            set.put(ClientRecord { last_date_used_ms: 0, ..record });
        }
        let used = Arc::clone(set.get(b"c/100").unwrap());
        used.usage().last_ms.store(7, Ordering::Relaxed);
        for n in 0..200 {
            set.put(ClientRecord { last_date_used_ms: 0, ..numbers.record(format!("c/{n:03}/below")) });
        }
        assert!(Arc::ptr_eq(set.get(b"c/100").unwrap(), &used) || set.get(b"c/100").unwrap().last_date_used_ms() == 7);
        set.put(ClientRecord { last_date_used_ms: 3, ..used.record() });
        let entry = set.from(b"c/100").next().unwrap();
        assert_eq!((entry.id().as_str(), entry.client().last_date_used_ms()), ("c/100", 7));
        used.usage().last_ms.store(9, Ordering::Relaxed);
        assert_eq!(set.get(b"c/100").unwrap().last_date_used_ms(), 9, "also what is used at the earlier revision from now on");
    }

    #[test]
    fn clients_that_are_put_away_are_what_they_were_with_their_last_uses() {
        let (mut numbers, mut set, mut model) = (Numbers(4), ClientSet::default(), BTreeMap::new());
        for n in 0..1000 {
            let record = numbers.record(format!("c/{n:04}"));
            model.insert(record.client_id.clone(), record.clone());
            set.put(record);
        }
        for n in (0..1000).step_by(3) {
            let id = format!("c/{n:04}");
            set.get(id.as_bytes()).unwrap();
            set.get(id.as_bytes()).unwrap().usage().last_ms.fetch_add(n, Ordering::Relaxed);
            model.get_mut(&id).unwrap().last_date_used_ms += n;
        }
        assert_eq!(set.at_hand(), 334);
        let (before, mut number) = (set.clone(), 0);
        while set.put_away(number) {
            number += 1;
        }
        assert_eq!((set.at_hand(), set.used(b"c/0003").is_none(), before.used(b"c/0003").is_some()), (0, true, true));
        assert_same(&set, &model);
        assert_same(&before, &model);
    }
}
