//! Beside a proxy, which asks about each request. `original.rs` rebuilds the request by what this kind of proxy always sets itself, `respond.rs` answers in the
//! way that it passes on. `envoy_grpc.rs` does both where Envoy asks over gRPC, `protobuf.rs` is the form of what it says there.

pub(crate) mod envoy_grpc;
mod original;
mod protobuf;
mod respond;

pub(crate) use respond::respond;
