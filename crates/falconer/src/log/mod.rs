//! The log: one line to stderr for each thing that happened, as text or JSON. `lines.rs` gathers and writes lines, `request_lines.rs` makes
//! those of requests.

mod lines;
mod request_lines;

use std::io;

use anyhow::{Context, Result};

pub use self::lines::RunningLog;
use self::lines::Writer;
pub use self::request_lines::RequestLines;
use crate::config::{Log, LogFormat};

/// Starts the log of this process. It goes on until the answer is dropped.
pub fn start(log: &Log) -> Result<RunningLog> {
    let filter = tracing_subscriber::EnvFilter::try_new(&log.level).with_context(|| format!("log.level: `{}` is no filter", log.level))?;
    let started = RunningLog::to(Box::new(io::stderr())).context("can't start the thread that writes the log")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Writer(started.lines()));
    let installed = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    installed.map_err(|error| anyhow::anyhow!("can't start the log: {error}"))?;
    Ok(started)
}
