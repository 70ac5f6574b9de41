//! Beside a proxy, which asks about each request. `original.rs` rebuilds the request by what this kind of proxy always sets itself, `respond.rs` answers in the
//! way that it passes on.

mod original;
mod respond;

pub(crate) use respond::respond;
