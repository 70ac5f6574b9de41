//! The applications of the store, and what services say of their scopes, as a node has them.

use std::sync::Arc;

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
