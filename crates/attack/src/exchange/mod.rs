//! What goes over the wire: a signature whose parts can each be wrong (`signature.rs`), a request (`request.rs`), what of it is secret (`secrets.rs`), and the
//! way to one host and back (`sender.rs`).

mod request;
mod secrets;
mod sender;
mod signature;

pub(crate) use request::Crafted;
pub(crate) use secrets::{Secret, within};
pub use sender::Transport;
pub(crate) use sender::{Answer, Answered, Sender};
pub(crate) use signature::Signature;
