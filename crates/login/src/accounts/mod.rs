//! Local accounts: the rules for their names, groups and scopes, what an administrator does with them, their passwords, and the link that makes
//! the first administrator.

pub mod account;
#[expect(clippy::module_inception, reason = "the use cases of the room's own name")]
pub(crate) mod accounts;
pub(crate) mod password;
pub(crate) mod setup;
