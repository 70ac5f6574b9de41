//! Words for scopes: what the services publish of theirs, and of others what can be said from their parts.

mod auth_scopes;
pub(crate) mod describe;
pub(crate) mod known;
pub(crate) mod published;
mod registries;
pub(crate) mod template;
