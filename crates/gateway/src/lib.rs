//! The gateway: protects a service that cannot be changed. It stands beside a proxy, which asks it about each request, or in front of the service itself.
//!
//! What it does: a rules file says which scopes each method and path needs ([`rules`]); a request is read so strictly that the service behind cannot read
//! another path out of it; who signed it is asked of Falconer, by the verifier of `falconer_middleware`. Browsers get a session on the protected host, through a
//! grant. The service behind gets a signed statement of who calls.
//!
//! For the other direction, out of programs that cannot sign, there is a [`SigningProxy`].
//!
//! What it deliberately does not do: it has no expressions, no verification and no scope arithmetic of its own. It keeps no answer of Falconer. It never
//! sees Falconer's own cookie. A request without a rule is refused, and what no configured proxy says is not believed.
//!
//! To add a proxy, write a dialect in `forward`, which says where the original request stands and how an answer has to look. Add a row to docs/gateway.md and a
//! test behind the real proxy.

mod addresses;
mod decide;
mod forward;
mod keys;
mod metrics;
mod page;
pub mod rules;
mod serve;
mod session;
mod signing;
mod statement;
mod staying_open;

pub use decide::{Gateway, InUse, NeedsRestart};
pub use keys::{Key, KeyError};
pub use serve::{Served, serve};
pub use signing::{BadCredentials, BadHost, Destinations, GivenCredentials, Settings, SigningProxy};
