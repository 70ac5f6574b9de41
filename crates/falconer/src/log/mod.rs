//! The log: one line to stderr for each thing that happened, as text or JSON. `filter.rs` says which, `lines.rs` gathers and writes lines,
//! `plain.rs` takes out of them what would steer a terminal, `request_lines.rs` makes those of requests.

mod filter;
mod lines;
mod plain;
mod request_lines;

use std::io;

use anyhow::{Context, Result};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

pub use self::filter::filter;
pub use self::lines::RunningLog;
use self::lines::Writer;
pub use self::plain::{is_steering, visible_json};
pub use self::request_lines::{RequestLines, TracedRequestLines};
use crate::config::{Log, LogFormat};

/// Which lines of a running log are written, to be changed while it runs.
pub struct Level(reload::Handle<Targets, Registry>);

impl Level {
    /// Errors: it is no `log.level`; all stays as it was.
    pub fn set(&self, text: &str) -> Result<()> {
        self.0.reload(filter(text)?).context("the level of the log can't be changed")
    }
}

/// Starts the log of this process. It goes on until the first part of the answer is dropped.
pub fn start(log: &Log) -> Result<(RunningLog, Level)> {
    let (filter, handle) = reload::Layer::new(filter(&log.level)?);
    let running = RunningLog::to(Box::new(io::stderr()), log.format).context("can't start the thread that writes the log")?;
    let layer = tracing_subscriber::fmt::layer().with_writer(Writer(running.lines()));
    let registry = tracing_subscriber::registry().with(filter);
    let installed = match log.format {
        LogFormat::Text => registry.with(layer.with_ansi(false)).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
    };
    installed.map_err(|error| anyhow::anyhow!("can't start the log: {error}"))?;
    Ok((running, Level(handle)))
}
