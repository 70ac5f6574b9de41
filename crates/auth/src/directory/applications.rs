//! The applications of the store, as a node has them.

use std::sync::Arc;

use falconer_store::ApplicationRecord;

/// All of them at one revision. Cheap to clone: what is made of them can be kept with them, until they are others.
#[derive(Clone, Default)]
pub struct Applications(imbl::OrdMap<Arc<str>, Arc<ApplicationRecord>>);

impl Applications {
    /// One, by id.
    pub fn get(&self, id: &str) -> Option<&Arc<ApplicationRecord>> {
        self.0.get(id)
    }

    /// All, ascending by the bytes of the id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ApplicationRecord>> {
        self.0.values()
    }

    /// Whether both are the very same. No records are compared: of two that were loaded apart it says no.
    pub fn is(&self, other: &Applications) -> bool {
        self.0.ptr_eq(&other.0)
    }

    pub(crate) fn put(&mut self, record: ApplicationRecord) {
        self.0.insert(Arc::from(record.id.as_str()), Arc::new(record));
    }

    pub(crate) fn drop(&mut self, id: &str) {
        self.0.remove(id);
    }
}
