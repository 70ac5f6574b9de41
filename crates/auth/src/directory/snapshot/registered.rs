//! What is known of those who ask people for grants: applications, and what services say of their scopes.

use falconer_store::{ApplicationRecord, ScopeRegistryRecord};

use super::Snapshot;
use crate::directory::records::{Applications, ScopeRegistries};

impl Snapshot {
    /// The applications of the store.
    pub fn applications(&self) -> &Applications {
        &self.applications
    }

    pub(crate) fn put_application(&mut self, record: ApplicationRecord) {
        self.applications.put(&record.id.clone(), record);
    }

    pub(crate) fn drop_application(&mut self, id: &str) {
        self.applications.drop(id);
    }

    /// What services have published about their scopes, by namespace.
    pub fn scope_registries(&self) -> &ScopeRegistries {
        &self.scope_registries
    }

    pub(crate) fn put_scope_registry(&mut self, record: ScopeRegistryRecord) {
        self.scope_registries.put(&record.namespace.clone(), record);
    }

    pub(crate) fn drop_scope_registry(&mut self, namespace: &str) {
        self.scope_registries.drop(namespace);
    }
}
