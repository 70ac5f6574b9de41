//! The gateway beside a proxy, which asks it about each request.
//!
//! `original.rs` rebuilds the request from the headers that this kind of proxy always sets itself. `respond.rs` answers in the form that the proxy passes on.
//! `envoy_grpc.rs` does both where Envoy asks over gRPC. `protobuf.rs` reads and writes the messages of that.

pub(crate) mod envoy_grpc;
mod original;
mod protobuf;
mod respond;

pub(crate) use respond::respond;
