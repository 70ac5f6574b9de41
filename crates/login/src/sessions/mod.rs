//! Sessions: signing in, the browsers that are signed in, and the forms that belong to them.

pub(crate) mod attempts;
pub(crate) mod forms;
pub(crate) mod full_counts;
pub(crate) mod reauthentication;
pub(crate) mod reset;
pub(crate) mod running_attempts;
pub(crate) mod session;
pub(crate) mod sign_in;
