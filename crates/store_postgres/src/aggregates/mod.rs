//! One file for each kind of record, with its SQL: how rows become records, and what a step does to them.

pub(crate) mod accounts;
pub(crate) mod attempts;
pub(crate) mod clients;
pub(crate) mod credentials;
pub(crate) mod grants;
pub(crate) mod identities;
pub(crate) mod issuers;
pub(crate) mod people;
pub(crate) mod refreshes;
pub(crate) mod roles;
pub(crate) mod scim;
pub(crate) mod sessions;
