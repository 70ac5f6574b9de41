//! Registered applications: who they are, where their answers go, what they may ask for at most.

pub(crate) mod administer;
pub(crate) mod application;
pub(crate) mod known;
pub(crate) mod register;
