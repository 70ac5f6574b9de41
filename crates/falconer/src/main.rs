//! The command line of Falconer.
fn main() {}
