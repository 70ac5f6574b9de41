//! Carrying the attacks out, one request after the other: `attacker.rs` makes the callers and goes through the table, `listing.rs` asks for what the service
//! lists, `traces.rs` remembers what was secret and looks for it, `away.rs` is the attack for which the operator has taken Falconer away.

mod attacker;
mod away;
mod listing;
mod traces;

pub use attacker::{Attacker, Error};
pub use traces::Logs;
