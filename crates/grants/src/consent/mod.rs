//! Consent: what a site asks for, what the person can give it and what that means in words, and what the person's ticks come to.

pub(crate) mod broad;
pub(crate) mod fresh;
pub(crate) mod lifetime;
pub(crate) mod narrowing;
pub(crate) mod news;
pub(crate) mod offer;
pub mod request;
pub(crate) mod selection;
pub(crate) mod too_soon;
