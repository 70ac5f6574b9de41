//! Measuring the real binary from outside: start it, drive it with signed requests over keep-alive connections, and read the CPU time
//! that the operating system accounted to it. Nothing here is a test: absolute figures move from machine to machine, ratios of one run
//! don't.

pub mod floor;
pub mod load;
pub mod process;
