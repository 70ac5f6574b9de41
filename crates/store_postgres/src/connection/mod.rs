//! Connections: how they are made and pooled, who is the server of the database, whether it answers, the schema, how rows are read, and what goes wrong.

pub(crate) mod columns;
pub(crate) mod connect;
pub(crate) mod fault;
pub(crate) mod hash;
pub(crate) mod migrate;
pub(crate) mod ownership;
mod password;
pub(crate) mod silence;
