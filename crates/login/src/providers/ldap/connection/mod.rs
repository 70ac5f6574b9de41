//! Talking to a directory: `address.rs` says where it is and how the way there is kept secret, `open.rs` gets there, `talk.rs` asks and reads answers
//! within their bounds, `pool.rs` keeps a few connections for the next question, `servers.rs` says which of
//! several servers is asked.

mod address;
mod open;
mod pool;
mod servers;
mod talk;

pub(crate) use address::{Address, Protection};
pub(crate) use pool::{Place, Pool};
pub(crate) use talk::{Bound, Connection, refusal};
