//! Applications of the store for people: the list, one of them, the form that registers and changes, and what is asked before an act. What a person may see and do
//! is decided where the API's is: by the use cases.

pub(crate) mod confirm;
pub(crate) mod edit;
pub(crate) mod list;
