//! People, for administrators, over the API and on pages: a person with all that is known of them, what is changed about them, and what somebody would get. Each
//! use case looks at what the caller may do, when it is decided (ADR 165).

pub(crate) mod change;
pub(crate) mod links;
pub(crate) mod map;
pub(crate) mod refresh;
pub(crate) mod unlock;
pub(crate) mod view;
