//! Local accounts: the rules for their names, groups and scopes, what an administrator does with them, their passwords and recovery codes, what is mailed to whoever forgot theirs, the queue of those who wait
//! for theirs to be checked, and the link that makes the first administrator.

pub mod account;
pub(crate) mod forgotten;
pub(crate) mod manage;
pub(crate) mod password;
pub(crate) mod prove;
pub(crate) mod queue;
pub(crate) mod recovery;
pub(crate) mod setup;
