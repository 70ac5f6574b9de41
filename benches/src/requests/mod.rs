//! Requests and their sending: signed calls, ready-made requests, one connection, the load, several servers in turn, and what a person does in a browser.

pub mod api;
pub mod browser;
pub mod connection;
pub mod load;
pub mod pool;
pub mod turns;
