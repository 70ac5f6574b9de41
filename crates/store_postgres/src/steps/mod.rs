//! Steps: the one way to write, what each kind of write does, and the audit rows that it leaves.

mod apply;
pub(crate) mod audit;
mod batch;
pub(crate) mod writing;

pub(crate) use apply::apply;
