//! Connections: `listener.rs` accepts them within bounds, for the gateway of `gateway.rs`, on a thread for each core (`threads.rs`), and for the signing proxy; `idle.rs` says how long one may do
//! nothing, and `incoming.rs` closes none before its answer has arrived; `reverse_proxy.rs` passes requests on where the gateway stands in front of the service itself, `passing.rs` is what everybody does who passes requests on.

mod gateway;
mod idle;
mod incoming;
mod listener;
mod passing;
mod reverse_proxy;
mod threads;

pub use gateway::{Served, serve};
pub(crate) use incoming::IncomingBody;
pub(crate) use listener::{AnswerBody, Connected, Limits, Service, accept, boxed, whole};
pub(crate) use passing::{causes, one_host, remove_connection_headers, tunnel, upgrade_of};
