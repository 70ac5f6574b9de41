//! What may be changed by whom, and what becomes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clients;
#[path = "../common/mod.rs"]
mod common;
mod concurrency;
#[path = "../common/dice.rs"]
mod dice;
mod ended_grants;
mod escalation;
mod given_up;
mod grants;
mod guessing;
mod initial_tokens;
mod install;
mod made_with_grants;
mod people;
mod plan;
mod roles;
mod store_errors;
mod store_hangs;
