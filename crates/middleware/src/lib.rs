//! What a third-party service mounts to be protected by Falconer: it states the scopes of a route, and its handlers get verified callers.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use falconer_middleware::{Caller, Cors, Guard};
//!
//! # fn example() -> Result<Router, falconer_middleware::SettingsError> {
//! let guard = Guard::new("https://auth.example.com", "https://notes.example.com")?;
//! let app: Router = Router::new()
//!     .merge(guard.route("/books/{book}", "notes:read:<book>", get(read))?)
//!     .layer(Cors::any());
//!
//! async fn read(caller: Caller) -> String {
//!     format!("until {}", caller.expires())
//! }
//! # Ok(app) }
//! ```
//!
//! Three layers of code, each usable without the next:
//!
//! | | feature | for |
//! |---|---|---|
//! | [`Verifier`], [`Requirement`], [`Refusal`] | none | any program: the parts of a request go in, a decision comes out |
//! | [`Guard`], [`Require`], [`Cors`] | `tower` | services over `http::Request`, such as hyper's |
//! | [`Guard::route`], [`Caller`] as an extractor | `axum` (default) | axum |
//!
//! For each request Falconer is asked (`check`, nothing is cached) whether its signer may do what the route requires, for this service's own public
//! origin. Then the payload hash is compared if one was signed. Of the caller's scopes the service learns those that begin as its own, and those below the
//! prefixes that it names ([`Guard::with_revealed`]). What comes out:
//!
//! | | answer |
//! |---|---|
//! | credentials that satisfy | the handler runs, with a [`Caller`] |
//! | no credentials, or not enough scopes | 403 `InsufficientScopes`, with what is missing |
//! | bad credentials, or a body that is not the signed one | 401 `AuthenticationFailed`, with the reason |
//! | Falconer does not answer, or answers nonsense | 503 `ServiceUnavailable` |
//!
//! What it deliberately does not do: it holds no secret, looks at no clientId, never trusts the Host header, and lets nothing through when
//! in doubt. An expression may be any of the protocol's, such as `json!({"AnyOf": ["notes:read:<book>", "notes:all"]})`.
//!
//! To add another web framework, write a folder like `axum`, which gives a [`SignedRequest`] to the verifier and makes an answer of a [`Refusal`].

#[cfg(feature = "axum")]
mod axum;
mod caller;
mod protected_resource;
mod refusal;
mod requirement;
mod settings_error;
#[cfg(feature = "tower")]
mod tower;
mod verifier;

#[cfg(feature = "tower")]
pub use crate::tower::{Cors, CorsService, Guard, Require, Required};
pub use caller::Caller;
/// What [`Refusal::Unavailable`] holds.
pub use falconer_client::Error;
/// How often and how long Falconer is asked ([`Verifier::with_retry`]).
pub use falconer_client::Retry;
pub use falconer_scopes::{Expression, Params, ScopeSet};
pub use falconer_wire::{Code, ErrorBody, Identity};
pub use protected_resource::ProtectedResource;
pub use refusal::Refusal;
pub use requirement::Requirement;
pub use settings_error::SettingsError;
pub use verifier::{BodyRule, Counts, Proof, SignedRequest, Verified, Verifier};

/// The crates whose types are part of this interface, in the versions that it is built with.
pub mod crates {
    #[cfg(feature = "tower")]
    pub use ::{bytes, http, http_body, tower};
    #[cfg(feature = "axum")]
    pub use ::axum;
    pub use ::falconer_client;
    pub use ::falconer_scopes;
    pub use ::falconer_wire;
    pub use ::serde_json;
}

/// The code of the README compiles.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
