//! Attacks on one's own service: what goes wrong in practice where a service accepts signed requests, tried on the running one.
//!
//! What it does: it makes narrow temporary credentials out of the operator's own, and learns from Falconer what each of them may do. It sends requests to
//! one host that are almost right. Of each attack it says whether the service held, was found wanting, or could not be tried, and why.
//!
//! What it deliberately does not do: it follows no redirect and sends nothing to a host that was not named. It sends no method to a route that was not
//! named with it, except for the question of a preflight. It signs nothing with permanent credentials. It says of a route that it held only where a caller that may was
//! let in at the same route.
//!
//! To add an attack: a file in a room of `attacks`, its row in `attacks/mod.rs`, its row in docs/attack.md, and a broken service in `e2e/attack` that it
//! finds.

mod attacks;
mod callers;
mod case;
mod exchange;
mod judge;
mod place;
mod report;
mod run;

pub use attacks::{ATTACKS, Attack};
pub use exchange::Transport;
pub use place::{Access, Body, Place, Route, Routes};
pub use report::{Outcome, Report, Row};
pub use run::{Attacker, Error, Logs};
