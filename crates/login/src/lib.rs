//! Sign-in and access grants: who somebody is, what a site asks for, what a person gives it, and for how long.
//!
//! | concept | where |
//! |---|---|
//! | where credentials may go, and the URL that carries them | [`target`], [`delivery`] |
//! | what a site asks for | [`request`] |
//! | names of people inside of clientIds | [`identity`] |
//!
//! What is deliberately not here: HTTP and HTML (`web`), SQL, what a grant is worth when it is used (`auth`), arithmetic of scopes
//! (`scopes`), a clock and a source of randomness.

pub mod delivery;
pub mod identity;
pub mod request;
pub mod target;
mod wish;
