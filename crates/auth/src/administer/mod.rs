//! What administrators and other crates change: clients, roles, people and what is linked, many of both at once, what a change would do, what a fresh installation gets,
//! the clients of the configuration, clients that have ended, records whose sealed value does not open, the time that is right, and the grants, people and accounts that login writes.

pub(crate) mod added;
pub(crate) mod client_view;
pub(crate) mod clients;
pub(crate) mod clock;
pub(crate) mod expiry;
pub(crate) mod grants;
pub(crate) mod import;
pub(crate) mod install;
pub(crate) mod people;
pub(crate) mod plan;
pub(crate) mod repair;
pub(crate) mod roles;
pub(crate) mod statics;
