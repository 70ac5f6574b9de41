//! What keeps an installation going: what a fresh one gets, the clients of the configuration, clients that have ended, records whose sealed value does not open,
//! and the time that is right.

pub(crate) mod clock;
pub(crate) mod expiry;
pub(crate) mod install;
pub(crate) mod repair;
pub(crate) mod signing;
pub(crate) mod statics;
