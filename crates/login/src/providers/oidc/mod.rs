//! OpenID Connect: the code flow with PKCE, state, nonce and a strict look at the ID token (OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9207).
//! `provider.rs` is the flow, `discovery.rs` what the provider says of itself, `keys.rs` its keys, `id_token.rs` the proof,
//! `claims.rs` what it says of a person.
//!
//! Signatures are verified by `ring`, which TLS brings anyway; why no library for the rest is in docs/adr/0130.

mod claims;
mod discovery;
mod id_token;
mod keys;
mod known;
mod provider;
mod settings;

pub use provider::OidcProvider;
pub use settings::{ClaimNames, OidcSettings, SettingsError};
