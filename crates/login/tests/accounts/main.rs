//! Accounts of this server: their sign-in, their links, what strangers can do to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod abandoned;
mod accounts;
mod attempts;
mod beside;
#[path = "../common/mod.rs"]
mod common;
#[path = "../../../auth/tests/common/failing.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod failing;
mod forgotten;
mod fresh;
mod invited_by_mail;
mod limits;
mod many_guesses;
#[path = "../common/provider.rs"]
mod provider;
mod races;
mod same_work;
mod sign_in;
#[path = "../email_code/site.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod site;
mod store_errors;
mod unlocking;
