//! Connections: how they are made and pooled, whether the database answers, what it tells of others, transactions, the schema, how rows are read, and what goes wrong.

pub(crate) mod columns;
pub(crate) mod connect;
pub(crate) mod contact;
pub(crate) mod fault;
pub(crate) mod hash;
pub(crate) mod migrate;
mod password;
pub(crate) mod shared;
pub(crate) mod silence;
pub(crate) mod transaction;
