//! What can be chosen on the command line. `cargo xtask bench` hands its options on to here.

use std::path::PathBuf;

use crate::data::data_set::Shape;

/// The options of a run.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "falconer-bench",
    about = "Measures Falconer's packaged binary, beside the floors and beside any other server of the protocol"
)]
pub struct Options {
    /// The binary to measure
    #[arg(long, env = "FALCONER_BIN")]
    pub binary: PathBuf,
    /// A PostgreSQL whose user may make databases, to measure with instead of SQLite: postgres://user:password@host:port/database
    /// (`cargo xtask postgres` runs one)
    #[arg(long)]
    pub postgres: Option<String>,
    /// Where performance.json goes
    #[arg(long)]
    pub out: PathBuf,
    /// Where the plot goes; none is written without
    #[arg(long)]
    pub plot: Option<PathBuf>,
    /// Where the table goes, besides standard output
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// Only rows whose id begins with one of these; `list` prints all ids
    #[arg(long, value_delimiter = ',')]
    pub rows: Vec<String>,
    /// Only rows that are measured on these data sets (small, 1k, 10k, deep, wide, real, real16)
    #[arg(long = "set", value_delimiter = ',')]
    pub sets: Vec<Shape>,
    /// Seconds of load that count for each row
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
    /// Keep-alive connections
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Requests a second of the rows in an open loop
    #[arg(long, default_value_t = 5_000.0)]
    pub open_loop: f64,
    /// Revocations of each kind: clients, their tokens and certificates, roles, grants and what was derived of them, access tokens, people
    #[arg(long, default_value_t = 2_000)]
    pub revocations: usize,
    /// Fail where something happened that must not: a request accepted after the acknowledgement of a revocation, a write lost
    #[arg(long)]
    pub must_hold: bool,
    /// Also measure with 1,000,000 clients (loading them takes long)
    #[arg(long)]
    pub million: bool,
    /// Another server of the protocol to measure beside Falconer, such as http://127.0.0.1:8081. Its credentials, which must be allowed
    /// everything, are taken from TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN
    #[arg(long)]
    pub server: Option<String>,
    /// A shell command that starts that server on an empty database, once for each data set; BENCH_DATA_DIR names an empty folder. Without
    /// it the server has to run already
    #[arg(long, requires = "server")]
    pub peer_command: Option<String>,
    /// The process of a server that runs already, for its CPU and memory
    #[arg(long, requires = "server", conflicts_with = "peer_command")]
    pub peer_pid: Option<u32>,
}
