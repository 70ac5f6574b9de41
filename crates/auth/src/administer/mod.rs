//! What administrators and other crates change: clients, roles, applications, people, many of the first two at once, what a change would do, what pages offer, what keeps an installation
//! going, what providers say of people, and the grants, identities and credentials that login writes, and what services say of their scopes.

pub(crate) mod added;
pub(crate) mod applications;
pub(crate) mod clients;
pub(crate) mod credentials;
pub(crate) mod following;
pub(crate) mod grants;
pub(crate) mod import;
pub(crate) mod offered;
pub(crate) mod people;
pub(crate) mod plan;
pub(crate) mod roles;
pub(crate) mod scope_registries;
pub(crate) mod upkeep;
