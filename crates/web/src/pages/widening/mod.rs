//! More than a grant gives: what whoever has it asks with a token behind the page, and the page on which its person answers.

pub(crate) mod endpoint;
pub(crate) mod page;
