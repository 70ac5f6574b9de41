//! `falconer proxy`: signs the requests of programs that cannot. `run.rs` starts it, `credentials.rs` is where the credentials come from and how they are kept fresh,
//! `place.rs` where it listens, `beside.rs` the program that it may serve alone.

mod beside;
mod credentials;
mod place;
mod run;

pub use beside::exit_code;
pub use run::{Options, run};
