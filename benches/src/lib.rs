//! Measuring Falconer: the real binary from outside, and its decisions in process.
//!
//! Absolute figures move from machine to machine; compare ratios within one run. `cargo xtask bench` builds and starts everything here; the
//! rows and their targets are those of `docs/performance.md`.
//!
//! | concept | where |
//! |---|---|
//! | data sets, from a seed | [`data::data_set`], loaded by [`data::load_data`] |
//! | who is measured: Falconer, another server of the protocol | [`subjects::subject`], [`subjects::process`] |
//! | signed requests, ready to send; one connection; the load | [`requests::pool`], [`requests::connection`], [`requests::load`] |
//! | what the same bytes cost without any work | [`subjects::floor`] |
//! | the rows | [`rows`] |
//! | hostile requests beside plain ones | [`strangers`] |
//! | people: sign-ins a second, sign-ins beside guesses, a directory that hangs | [`people`] |
//! | other calls while many follow an import | [`followers`] |
//! | several servers on one database: how soon a revocation holds everywhere | [`bounds`] |
//! | memory of many clients, in process | [`clients`] |
//! | what a run says: table, JSON, plot | [`figures::report`], [`figures::plot`] |
//! | decisions in process: for the table, for criterion, for instruction counts | [`in_process`] |
//!
//! To add a row: a measurement in the file of its kind under `rows/`, its id in [`rows::ALL`] with the target, and a line in
//! `docs/performance.md`.
//!
//! Nothing here is a test, and nothing here is part of the product.

pub mod bounds;
pub mod clients;
pub mod clock;
pub mod data;
pub mod figures;
pub mod followers;
pub mod in_process;
pub mod options;
pub mod people;
pub mod requests;
mod revoking;
pub mod rows;
pub mod strangers;
pub mod subjects;
