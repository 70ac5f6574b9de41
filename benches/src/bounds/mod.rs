//! Several servers on one database: how soon a revocation holds everywhere, whether anybody sees what was made after their right was removed, and what a server
//! does that is cut off. `falconer-bench bounds`.

mod catch_up;
mod cut_off;
mod enemy;
mod force;
mod nodes;
mod reverse_proxy;
mod revoked;
mod rolling;
// The tests break the way to a database with the same proxy.
#[path = "../../../crates/falconer/tests/support/silent_proxy.rs"]
mod silent_proxy;

use std::path::PathBuf;

use anyhow::{Result, bail};

use self::nodes::Follows;
use self::reverse_proxy::ReverseProxy;
use crate::figures::lines::{Line, Table};

/// The options of `falconer-bench bounds`.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "falconer-bench bounds", about = "How soon a revocation holds on several servers that share a database")]
pub struct Options {
    /// The binary to measure
    #[arg(long, env = "FALCONER_BIN")]
    pub binary: PathBuf,
    /// Another build, which the servers are started with again where they are restarted one after the other (`--parts rolling`)
    #[arg(long)]
    pub upgraded: Option<PathBuf>,
    /// A PostgreSQL whose user may make databases: postgres://user:password@host:port/database (`cargo xtask postgres` runs one)
    #[arg(long, env = "FALCONER_TEST_POSTGRES")]
    pub postgres: String,
    /// Servers on it
    #[arg(long, default_value_t = 3)]
    pub nodes: usize,
    /// Workers that use a credential on each of them at the same time
    #[arg(long, default_value_t = 64)]
    pub workers: usize,
    /// Revocations of each kind
    #[arg(long, default_value_t = 200)]
    pub revocations: usize,
    /// Times that a right is removed, and then something made that whoever had it would see
    #[arg(long, default_value_t = 1_000)]
    pub enemies: usize,
    /// Times that a server is cut off from the database
    #[arg(long, default_value_t = 3)]
    pub cuts: usize,
    /// Changes of which each is looked for on the other servers
    #[arg(long, default_value_t = 1_000)]
    pub changes: usize,
    /// Clients that are made while a server does not reach the database
    #[arg(long, default_value_t = 100_000)]
    pub missed: usize,
    /// What is measured, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Notified, Part::Looking, Part::Force, Part::Enemy, Part::CutOff, Part::CatchUp, Part::Nginx, Part::Haproxy, Part::Rolling])]
    pub parts: Vec<Part>,
    /// Where the table goes, besides standard output
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// Fail where something was accepted later than it may be
    #[arg(long)]
    pub must_hold: bool,
}

/// What can be measured.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Revocations that the database tells the other servers
    Notified,
    /// Revocations that the other servers find by looking
    Looking,
    /// From a change on one server to its force on the others, where nothing else is done
    Force,
    /// A right is removed, and then something made that whoever had it would see
    Enemy,
    /// A server that does not reach the database
    CutOff,
    /// One that has to take in what was made meanwhile
    CatchUp,
    /// Revocations, asked about through nginx
    Nginx,
    /// The same through HAProxy
    Haproxy,
    /// Servers that are restarted one after the other, behind HAProxy and behind nginx
    Rolling,
}

/// Measures, prints the table line by line.
pub fn run(options: &Options) -> Result<()> {
    if options.nodes < 2 {
        bail!("--nodes: what one server changes is looked for on another one");
    }
    let mut table = Table::begin(options.markdown.as_deref())?;
    for part in &options.parts {
        eprintln!("{part:?}");
        match part {
            Part::Notified => revoked::measure(options, Follows::Notified, None, &mut table)?,
            Part::Looking => revoked::measure(options, Follows::Looking, None, &mut table)?,
            Part::Force => table.add(&force::measure(options)?)?,
            Part::Enemy => table.add(&enemy::measure(options)?)?,
            Part::CutOff => cut_off::measure(options)?.iter().try_for_each(|line| table.add(line))?,
            Part::CatchUp => catch_up::measure(options)?.iter().try_for_each(|line| table.add(line))?,
            Part::Nginx => revoked::measure(options, Follows::Notified, Some(ReverseProxy::Nginx), &mut table)?,
            Part::Haproxy => revoked::measure(options, Follows::Notified, Some(ReverseProxy::Haproxy), &mut table)?,
            Part::Rolling => rolling::measure(options, &mut table)?,
        }
    }
    table.end(options.must_hold)
}
