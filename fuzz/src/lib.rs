//! Fuzzing of everything that strangers can send, with a stable compiler.
//!
//! A [`Target`] is a function that reads bytes and asserts what must hold of every input: a bound, a way back, a promise of the protocol. Its corpus
//! is a folder of `corpora/`, one input a file, each of which says something that a random one would not find. The driver ([`run`]) changes inputs of the corpus
//! (`mutate`) and keeps those that the target answered in a new way. `cargo test` replays the corpora; `cargo xtask test` adds four seconds a target,
//! `cargo xtask soak` ten minutes.
//!
//! What is deliberately not here: coverage feedback. It needs a second build of everything with other flags; a target instead says in a word what came of an
//! input ([`Outcome`]), and that leads the driver deep enough for formats as small as these.
//!
//! To add a target: a function in `targets`, a row in [`TARGETS`], and a folder with a few inputs.

mod corpus;
mod mutate;
mod run;
mod site;
mod targets;

pub use corpus::{Input, read};
pub use run::{Found, Tried, run};
pub use targets::{Outcome, TARGETS, Target};
