//! The kind `ldap`: against a real OpenLDAP, and against a server of ours that answers what OpenLDAP would not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod ask;
mod away;
mod filters;
#[path = "../../../falconer/tests/support/freezing.rs"]
mod freezing;
mod groups;
mod hostile;
#[path = "../../../falconer/tests/support/patience.rs"]
mod patience;
mod people;
#[path = "../../../falconer/tests/support/ports.rs"]
mod ports;
mod server;
mod slapd;
#[path = "../common/standing_clock.rs"]
mod standing_clock;
mod tls;
