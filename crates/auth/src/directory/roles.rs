//! The roles of a snapshot: compiled, with what each has besides its scopes.

use std::sync::{Arc, OnceLock};

use falconer_scopes::{AppliedRoles, Role, RoleSet, ScopeSet};
use falconer_store::RoleRecord;

use crate::directory::expansions::generation::Generation;
use crate::directory::expansions::sets::Sets;
use crate::reserved;

/// What a role has besides its scopes.
pub(crate) struct RoleNotes {
    description: Box<str>,
    created_ms: i64,
    last_modified_ms: i64,
}

/// The roles of one generation.
#[derive(Default)]
pub(crate) struct Roles {
    pub(crate) set: RoleSet,
    pub(crate) generation: Generation,
    pub(crate) anonymous: OnceLock<ScopeSet>,
}

impl Roles {
    /// What a list without anything that is reserved comes to, and what of that is allowed.
    pub(crate) fn expand<'l>(&self, given: impl Iterator<Item = &'l str>) -> Sets {
        let expanded = self.set.expand_counting(given);
        let allowed = reserved::without_reserved(expanded.scopes.clone());
        Sets { expanded: expanded.scopes, allowed, is_complete: expanded.is_complete }
    }

    /// The roles that apply to such a list; `None` where not all can be said.
    pub(crate) fn applied<'l>(&self, given: impl Iterator<Item = &'l str>) -> Option<AppliedRoles> {
        self.set.applied(given)
    }
}

/// A record as the scopes that are compiled, and the rest.
pub(crate) fn split(record: RoleRecord) -> ((Arc<str>, Arc<RoleNotes>), Role) {
    let RoleRecord { role_id, scopes, description, created_ms, last_modified_ms } = record;
    let notes = RoleNotes { description: description.into(), created_ms, last_modified_ms };
    ((Arc::from(role_id.as_str()), Arc::new(notes)), Role { role_id, scopes })
}

/// The record that was split.
pub(crate) fn record_of(role: Role, notes: &RoleNotes) -> RoleRecord {
    RoleRecord {
        role_id: role.role_id,
        scopes: role.scopes,
        description: notes.description.to_string(),
        created_ms: notes.created_ms,
        last_modified_ms: notes.last_modified_ms,
    }
}
