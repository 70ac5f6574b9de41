//! The signing proxy: plain HTTP in, signed requests out. `proxy.rs` passes requests on, `destination.rs` reads where they go, `caller.rs` refuses browsers and names
//! that are not the proxy's own, `body.rs` holds bodies whose hash is signed, `outgoing.rs` are the connections out, `credentials.rs` reads what is signed with,
//! `refused.rs` says why not,
//! `credentials_recheck.rs` whether what stays open may.

mod body;
mod caller;
mod credentials;
mod credentials_recheck;
mod destination;
mod outgoing;
mod proxy;
mod refused;

pub use credentials::{BadCredentials, GivenCredentials};
pub use destination::{BadHost, Destinations};
pub use proxy::{Settings, SigningProxy};
