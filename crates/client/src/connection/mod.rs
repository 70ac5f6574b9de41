//! How a call goes over the wire: what of a URL is signed, TLS, what is tried again, and whose clock counts.

mod clock;
mod connections;
mod exchange;
mod payload;
pub(crate) mod resolver;
mod retry;
mod send;
pub(crate) mod target;
pub(crate) mod tls;

pub(crate) use clock::Clock;
pub(crate) use connections::Connections;
pub use exchange::{Answer, Exchange, Refusal};
pub use payload::signed_payload;
pub use retry::Retry;
pub use target::{Origin, encode_segment};
pub use tls::{config as tls_config, config_with as tls_config_with};
