//! Taking something away while it is used: the ways in which somebody loses what they had, and workers that go on using it, on one server or
//! on several.

mod grants;
mod kinds;
mod tokens;
mod workers;

use std::process::Command;

use anyhow::Result;

pub(crate) use self::kinds::{Given, Kind, What};
pub(crate) use self::workers::{InForce, run};
use crate::requests::api::Api;

/// Where something is taken away.
pub(crate) struct Place<'a> {
    /// A server, and who may do everything there.
    pub(crate) api: &'a Api,
    /// The binary, with what it needs to find the records of that server.
    pub(crate) command: &'a dyn Fn() -> Result<Command>,
}
