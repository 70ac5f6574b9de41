//! For tests: the same semantics as the rest of the crate, written as plainly as possible.
