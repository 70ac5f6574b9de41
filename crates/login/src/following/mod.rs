//! Following directories: what they say of people at sign-in and later on, what other directories add, who is asked when, and what ends when somebody is gone.

mod additions;
pub(crate) mod figures;
pub(crate) mod known_by;
mod record;
pub(crate) mod refresh;
pub(crate) mod round;
pub(crate) mod silent;
