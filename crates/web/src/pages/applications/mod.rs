//! Applications of the store for people: the list, one of them, the form that registers and changes, what is asked before an act, and what they register themselves with. What a person may see and do
//! is decided where the API's is: by the use cases.

pub(crate) mod confirm;
pub(crate) mod edit;
pub(crate) mod initial_tokens;
pub(crate) mod list;
