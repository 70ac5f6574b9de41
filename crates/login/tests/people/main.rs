//! People and their identities: linking, administration, and following providers and directories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod administered_linking;
mod administration;
#[path = "../common/mod.rs"]
mod common;
#[path = "../../../auth/tests/common/dice.rs"]
mod dice;
mod directory_hangs;
#[path = "../../../auth/tests/common/failing.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod failing;
mod flows;
mod following;
mod http_directory;
mod http_directory_hangs;
mod identity;
mod linking;
mod linking_providers;
#[path = "../common/office.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod office;
mod people_escalation;
#[path = "../../../falconer/tests/support/ports.rs"]
mod ports;
#[path = "../common/provider.rs"]
mod provider;
mod provider_http;
mod pushed;
#[path = "../email_code/site.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod site;
#[path = "../common/standing_clock.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod standing_clock;
