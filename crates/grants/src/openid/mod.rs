//! OpenID Connect: who somebody is, signed for an application that the person lets know.
//!
//! `request` is what an application asks for, `remembered` what is kept of it with the grant, `keys` what signs, `tokens` what is signed and said, `logout` the way out, `backchannel` how applications are told of it.

pub(crate) mod backchannel;
pub(crate) mod keys;
pub(crate) mod logout;
pub(crate) mod remembered;
pub(crate) mod request;
pub(crate) mod tokens;
