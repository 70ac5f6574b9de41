//! What is attacked: one service at one address (`service.rs`), and the routes that may be asked for (`route.rs`, which a file names, `file.rs`).

mod file;
mod route;
mod service;

pub use file::Routes;
pub use route::{Access, Body, Route};
pub use service::Place;
