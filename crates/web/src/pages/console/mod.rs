//! Clients and roles for people: lists and single records, forms that create and change them, questions before an act.

pub(crate) mod confirm;
pub(crate) mod edit;
pub(crate) mod records;
