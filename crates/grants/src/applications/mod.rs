//! Applications, registered ones, those that register themselves and those that say themselves who they are: where their answers go, what they may ask for at most.

pub(crate) mod administer;
pub(crate) mod application;
pub(crate) mod client_metadata;
pub(crate) mod command_line;
pub(crate) mod documents;
pub(crate) mod keys;
pub(crate) mod known;
pub(crate) mod logout_uri;
pub(crate) mod register;
pub(crate) mod registration;
