//! What an organisation's directory pushes over SCIM 2.0 (RFC 7643, RFC 7644): whose token it is, users and groups as they come and as they are changed, and what
//! follows for the people who sign in with that provider.

pub(crate) mod directory;
pub(crate) mod error;
pub(crate) mod filter;
pub(crate) mod follow;
pub(crate) mod group;
pub(crate) mod members;
pub(crate) mod patch;
pub(crate) mod resources;
pub(crate) mod user;
