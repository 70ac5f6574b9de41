//! Connections: opening the file, the threads that own them, the schema, how rows are read, and what goes wrong.

pub(crate) mod checkpoints;
pub(crate) mod columns;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod migrate;
pub(crate) mod worker;
