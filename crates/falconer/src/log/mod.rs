//! The log: one line to stderr for each thing that happened, as text or JSON. `filter.rs` says which, `lines.rs` gathers and writes lines,
//! `plain.rs` takes out of them what would steer a terminal, `request_lines.rs` makes those of requests.

mod filter;
mod lines;
mod plain;
mod request_lines;

use std::io;

use anyhow::{Context, Result};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use self::filter::filter;
pub use self::lines::RunningLog;
use self::lines::Writer;
pub use self::plain::{is_steering, visible_json};
pub use self::request_lines::RequestLines;
use crate::config::{Log, LogFormat};

/// Starts the log of this process. It goes on until the answer is dropped.
pub fn start(log: &Log) -> Result<RunningLog> {
    let filter = filter(&log.level)?;
    let running = RunningLog::to(Box::new(io::stderr()), log.format).context("can't start the thread that writes the log")?;
    let layer = tracing_subscriber::fmt::layer().with_writer(Writer(running.lines()));
    let registry = tracing_subscriber::registry().with(filter);
    let installed = match log.format {
        LogFormat::Text => registry.with(layer.with_ansi(false)).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
    };
    installed.map_err(|error| anyhow::anyhow!("can't start the log: {error}"))?;
    Ok(running)
}
