//! The Rust client: signs calls, makes them, retries them, and hands out temporary credentials and signed URLs.
//!
//! ```no_run
//! # async fn example() -> Result<(), falconer_client::Error> {
//! use falconer_client::Client;
//!
//! let client = Client::from_env()?;                       // TASKCLUSTER_ROOT_URL, _CLIENT_ID, _ACCESS_TOKEN, _CERTIFICATE
//! println!("{:?}", client.current_scopes().await?.scopes);
//! let page = client.list_clients(Some("mozilla-ldap/"), None, None).await?;
//! println!("{}", page.clients.len());
//! # Ok(()) }
//! ```
//!
//! What it deliberately does not do: it holds nothing of the server, decides no authorization, and follows no redirect.
//! A wrong clock of this computer does no harm. After a 401 the client asks the root URL for its time, once a minute at most. It signs with that
//! time from then on, and makes the call once more. Time and randomness are read in `system` only.
//!
//! To add a method of the auth service, write one function in `methods/auth.rs`, with the shapes of `falconer_wire`. Other services are reached with
//! [`Client::call`].

mod client;
mod connection;
mod credentials;
mod environment;
mod error;
mod methods;
pub mod system;

pub use client::{Call, Client};
pub use connection::{Answer, Exchange, Origin, Refusal, Retry, encode_segment, signed_payload, tls_config, tls_config_with};
pub use credentials::Credentials;
pub use environment::Environment;
pub use error::Error;
pub use falconer_credentials::payload::hash as payload_hash;
pub use falconer_credentials::{AccessToken, is_signed_twice};
/// The shapes of both APIs, which calls take and give.
pub use falconer_wire as wire;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
pub use methods::{Events, GrantEnd, PeopleSearch, ServerEvent, is_temporary};
pub use rustls::{ClientConfig, Error as TlsError};
/// Whose traits bodies and answers have ([`Client::call_as`]).
pub use serde;
pub use serde_json::Value;

/// The code of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
