//! OpenID Connect: what this server says of itself and of its keys, who somebody is, and the page on which an application asks that they sign out.

pub(crate) mod endpoints;
pub(crate) mod logout;
