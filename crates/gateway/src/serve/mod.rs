//! Connections: `listener.rs` accepts them within bounds, `reverse_proxy.rs` passes requests on where the gateway stands in front of the service itself.

mod listener;
mod reverse_proxy;

pub(crate) use listener::AnswerBody;
pub use listener::{Served, serve};
