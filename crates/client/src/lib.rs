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
//! What it deliberately does not do: it holds nothing of the server, decides no authorization, follows no redirect, and corrects no clock.
//! Time and randomness are read in `edge` only.
//!
//! To add a method of the auth service: one function in `auth`, with the shapes of `falconer_wire`. Other services are reached with
//! [`Client::call`].

mod auth;
mod client;
mod credentials;
pub mod edge;
mod environment;
mod error;
mod events;
mod falconer;
mod retry;
mod target;
mod tls;

pub use client::{Call, Client};
pub use credentials::Credentials;
pub use environment::Environment;
pub use error::Error;
pub use events::{Events, ServerEvent, passes};
pub use falconer_credentials::AccessToken;
pub use falconer_credentials::payload::hash as payload_hash;
pub use http::Method;
pub use retry::Retry;
pub use target::{Origin, encode_segment};
