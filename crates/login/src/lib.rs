//! Sign-in and access grants.
