//! People: who changes something about them and what that takes, their list, local accounts and the links to their passwords, linking, ending a person, and
//! what people let others do.

pub(crate) mod accounts;
pub(crate) mod by;
pub(crate) mod ending;
pub(crate) mod granted;
pub(crate) mod linking;
pub(crate) mod list;
