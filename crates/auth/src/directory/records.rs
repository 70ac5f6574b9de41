//! The applications of the store, and what services say of their scopes, as a node has them.

use std::sync::Arc;

use falconer_scopes::ScopeSet;
use falconer_store::{ApplicationRecord, ScopeRegistryRecord};

/// All applications at one revision.
pub type Applications = Records<ApplicationRecord>;
/// What services say of their scopes, at one revision.
pub type ScopeRegistries = Records<ScopeRegistryRecord>;

/// All records of a kind at one revision. Cheap to clone: what is made of them can be kept with them, until they are others.
pub struct Records<R>(imbl::OrdMap<Arc<str>, Arc<R>>);

impl<R> Default for Records<R> {
    fn default() -> Self {
        Records(imbl::OrdMap::default())
    }
}

impl<R> Clone for Records<R> {
    fn clone(&self) -> Self {
        Records(self.0.clone())
    }
}

impl<R> Records<R> {
    /// One, by its id.
    pub fn get(&self, id: &str) -> Option<&Arc<R>> {
        self.0.get(id)
    }

    /// All, ascending by the bytes of the id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<R>> {
        self.0.values()
    }

    /// Whether both are the very same. No records are compared: of two that were loaded apart it says no.
    pub fn is(&self, other: &Records<R>) -> bool {
        self.0.ptr_eq(&other.0)
    }

    pub(crate) fn put(&mut self, id: &str, record: R) {
        self.0.insert(Arc::from(id), Arc::new(record));
    }

    pub(crate) fn drop(&mut self, id: &str) {
        self.0.remove(id);
    }
}

impl Records<ScopeRegistryRecord> {
    /// Whether both say the same of these scopes: what a service publishes of its own is in nobody's way who grants something else.
    pub(crate) fn say_the_same_of(&self, scopes: &ScopeSet, other: &Records<ScopeRegistryRecord>) -> bool {
        let is_same = |known: &Arc<ScopeRegistryRecord>| other.get(&known.namespace) == self.get(&known.namespace);
        self.is(other) || self.iter().chain(other.iter()).all(|known| is_same(known) || !meets(scopes, &known.namespace))
    }
}

/// Whether one of the scopes has something to do with the scopes of a service.
fn meets(scopes: &ScopeSet, namespace: &str) -> bool {
    scopes.iter().any(|scope| match scope.split_once(':') {
        Some((own, _)) => own == namespace,
        // Without a colon only a star has: with all that begin so.
        None => scope.strip_suffix('*').is_some_and(|stem| namespace.starts_with(stem)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use falconer_store::{Risk, ScopeSentence};

    fn registries(all: &[(&str, &str)]) -> ScopeRegistries {
        let mut registries = ScopeRegistries::default();
        for (namespace, sentence) in all {
            let scopes = vec![ScopeSentence { template: format!("{namespace}:x"), sentence: (*sentence).to_owned(), risk: Risk::High }];
            let (namespace, published_by) = ((*namespace).to_owned(), "local/ann".to_owned());
            let record = ScopeRegistryRecord { namespace, scopes, published_by, created_ms: 1, last_modified_ms: 2 };
            registries.put(&record.namespace.clone(), record);
        }
        registries
    }

    #[test]
    fn what_is_said_of_other_scopes_counts_for_nothing() {
        let read = registries(&[("notes", "Read"), ("queue", "Wait")]);
        let equal = registries(&[("notes", "Read"), ("queue", "Wait")]);
        let changed = registries(&[("notes", "Read"), ("queue", "Go")]);
        let (gone, added) = (registries(&[("notes", "Read")]), registries(&[("notes", "Read"), ("queue", "Wait"), ("quotes", "Say")]));
        for (scopes, of_equal, of_changed, of_gone, of_added) in [
            (&["notes:*"][..], true, true, true, true),
            (&["notes:x", "queue:y"], true, false, false, true),
            (&["queue"], true, true, true, true),
            (&["queue*"], true, false, false, true),
            (&["qu*"], true, false, false, false),
            (&["quo*"], true, true, true, false),
            (&["*"], true, false, false, false),
            (&[], true, true, true, true),
        ] {
            let same = |now: &ScopeRegistries| read.say_the_same_of(&ScopeSet::new(scopes), now);
            assert_eq!((same(&equal), same(&changed), same(&gone), same(&added)), (of_equal, of_changed, of_gone, of_added), "{scopes:?}");
        }
    }
}
