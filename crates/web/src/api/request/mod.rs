//! What a call of the API says: which method its path names, its query, its body within a budget, the schema that the body has to fit, what
//! was signed, and whether it was seen before.

pub(crate) mod body;
pub(crate) mod budget;
pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod replays;
pub(crate) mod route;
pub(crate) mod schema;
pub(crate) mod signed;
