//! The gateway and the signing proxy: what they are asked, and heads of requests over real connections.

pub(super) mod heads;
pub(super) mod questions;
