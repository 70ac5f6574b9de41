//! `falconer serve`: `run.rs` makes what is missing, serves until it is told to end, and ends gracefully; `listen.rs` takes ports, `upkeep.rs`
//! is what happens beside serving, `key_file.rs` that the keys of the file are taken, `lease.rs` who of several servers does what only one does, `outage.rs` how often a failure that lasts is reported, `shutdown.rs` are the signals, `watched.rs` the tasks whose end is the end, `reread.rs` what is taken from
//! changed files without a new start.

mod key_file;
mod lease;
mod listen;
mod outage;
mod reread;
mod run;
mod shutdown;
mod upkeep;
mod watched;

pub use listen::{auth_origin, bind, cannot_listen, origin_at};
pub use outage::Outage;
pub use run::{Listeners, Options, run, serve};
pub use shutdown::{Hangup, Rereads, Signals, shutdown};
