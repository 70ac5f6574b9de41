//! Where people say who they are: sign-in and sign-out, the way to an identity provider and back, the set-up of the first account, a new password, passkeys and
//! recovery codes.

mod begun;
pub(crate) mod directory;
pub(crate) mod email_code;
pub(crate) mod forgotten;
pub(crate) mod login;
pub(crate) mod other_ways;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod provider;
pub(crate) mod reauthentication;
pub(crate) mod setup;
