//! One file a command, in rooms by who uses it and where.

pub mod database;
pub mod doctor;
pub mod operator;
pub mod people;
pub mod records;
pub mod server;
pub mod user;
