//! Data sets: made from a seed, and loaded into a server.

pub mod data_set;
pub mod load_data;
