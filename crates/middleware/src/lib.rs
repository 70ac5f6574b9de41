//! What a third-party service mounts to be protected by Falconer: it states the scopes of a route, and its handlers get verified callers.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use falconer_middleware::{Caller, Cors, Guard};
//!
//! # fn example() -> Result<Router, falconer_middleware::SettingsError> {
//! let guard = Guard::new("https://auth.example.com", "https://notes.example.com")?;
//! let app: Router = Router::new()
//!     .route("/books/{book}", get(read).route_layer(guard.require("notes:read:<book>")?))
//!     .layer(Cors::any());
//!
//! async fn read(caller: Caller) -> String {
//!     format!("until {}", caller.expires())
//! }
//! # Ok(app) }
//! ```
//!
//! For each request the layer asks Falconer (`authenticateHawk`, nothing is cached) what the signature is worth for this service's own
//! public origin, compares the payload hash if one was signed, and decides the scope expression. What comes out:
//!
//! | | answer |
//! |---|---|
//! | credentials that satisfy | the handler runs, with a [`Caller`] |
//! | no credentials, or not enough scopes | 403 `InsufficientScopes`, with what is missing |
//! | bad credentials, or a body that is not the signed one | 401 `AuthenticationFailed`, with the reason |
//! | Falconer does not answer, or answers nonsense | 503 `ServiceUnavailable` |
//!
//! What it deliberately does not do: it holds no secret, looks at no clientId, never trusts the Host header, and lets nothing through when
//! in doubt. An expression may be any of the protocol's templates, such as `json!({"AnyOf": ["notes:read:<book>", "notes:all"]})`.

mod caller;
mod cors;
mod guard;
mod layer;
mod payload;
mod refusal;

pub use caller::Caller;
pub use cors::Cors;
pub use falconer_wire::Identity;
pub use guard::{Guard, SettingsError};
pub use layer::{Require, Required};
