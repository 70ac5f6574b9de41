//! Verdicts, expansions, and a node that follows its store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod certificates;
#[path = "../common/mod.rs"]
mod common;
mod cut_off;
mod expansions;
mod feed;
mod following;
mod overlap;
#[path = "../../../falconer/tests/support/patience.rs"]
mod patience;
mod protocol;
mod verification;
