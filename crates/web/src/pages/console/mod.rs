//! Clients and roles for people: lists and single records, forms that create and change them, questions before an act. And what looks into things: the whole
//! history, refusals, and what scopes come to.

pub(crate) mod after;
pub(crate) mod confirm;
pub(crate) mod edit;
pub(crate) mod history;
pub(crate) mod records;
pub(crate) mod refusals;
pub(crate) mod registries;
pub(crate) mod scopes;
