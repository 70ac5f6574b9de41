//! The gateway: protects a service that cannot be changed. It stands beside a proxy, which asks it about each request, or in front of the service itself.
//!
//! What it does: a rules file says which scopes each method and path needs ([`rules`]); a request is read so strictly that the service behind cannot read
//! another path out of it; who signed it is asked of Falconer, by the verifier of `falconer_middleware`.
//!
//! What it deliberately does not do: it has no expressions, no verification and no scope arithmetic of its own; it keeps no answer of Falconer; what is
//! no rule is refused.
//!
//! To add a proxy: a dialect, which says where the original request stands and how an answer has to look.

pub mod rules;
