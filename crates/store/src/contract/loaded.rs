//! Everything that a node answers from, as a store gives it.

use crate::{
    ApplicationRecord, ClientRecord, Damaged, GrantRecord, History, IdentityRecord, IssuerRecord, PersonRecord, Revision, RoleRecord,
    ScopeRegistryRecord,
};

/// Is given one client after the other, while a store loads.
pub type EachClient = Box<dyn FnMut(ClientRecord) + Send>;

/// Everything that a node answers from, at one revision.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Which history it is.
    pub history: History,
    /// The revision of all that follows.
    pub revision: Revision,
    /// The highest [`Step::at_ms`](crate::Step::at_ms) of any committed step, milliseconds since 1970; 0 when there was none. A clock far behind it is wrong.
    pub highest_ms: i64,
    /// All roles, ascending by the bytes of the roleId.
    pub roles: Vec<RoleRecord>,
    /// All clients, ascending by the bytes of the clientId; none where they were given one after the other.
    pub clients: Vec<ClientRecord>,
    /// All issuers, oldest first.
    pub issuers: Vec<IssuerRecord>,
    /// Grants that are not revoked and end after `highest_ms`. Of the others [`Store::grant`](crate::Store::grant) says how they ended.
    pub grants: Vec<GrantRecord>,
    /// All identities that have ever been seen.
    pub identities: Vec<IdentityRecord>,
    /// All people: each identity's is among them.
    pub people: Vec<PersonRecord>,
    /// All applications, ascending by the bytes of the id.
    pub applications: Vec<ApplicationRecord>,
    /// What services say of their scopes, ascending by the bytes of the namespace.
    pub scope_registries: Vec<ScopeRegistryRecord>,
    /// Rows whose sealed value does not open: [`Store::load_each`](crate::Store::load_each) says what is given in their place.
    pub damaged: Vec<Damaged>,
}
