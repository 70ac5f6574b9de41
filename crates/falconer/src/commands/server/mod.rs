//! Commands that make a server or are one: they may create the data directory.

pub mod config_check;
pub mod demo;
pub mod gateway;
pub mod init;
pub mod serve;
