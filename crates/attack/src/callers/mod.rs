//! Who the attacks are made as: temporary callers with few scopes (`caller.rs`), what Falconer says that a request of theirs is worth (`falconer.rs`), and
//! those that one route takes (`of_route.rs`).

mod caller;
mod falconer;
mod of_route;

pub(crate) use caller::Caller;
pub(crate) use falconer::{Falconer, FalconerVerdict};
pub(crate) use of_route::{CallerTemplate, Callers};
