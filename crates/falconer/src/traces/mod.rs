//! Traces of this process: `export.rs` sends spans to the collector, `store.rs` is a store whose calls are parts of traces.

mod export;
mod store;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use falconer_auth::Random as _;
use falconer_traces::Tracer;

pub use self::export::Exporter;
pub use self::store::TracedStore;
use crate::config::Tracing;
use crate::system::SystemRandom;

/// What begins spans, and what sends them; nothing where no collector is configured. Called on the runtime on which they are sent.
pub fn start(settings: &Tracing) -> Result<Option<(Arc<Tracer>, Exporter)>> {
    let Some(url) = settings.traces_url()? else { return Ok(None) };
    let exporter = Exporter::start(url)?;
    let tracer = Tracer::new(settings.ratio, exporter.queue(), now_ns, |bytes| SystemRandom.fill(bytes));
    Ok(Some((tracer, exporter)))
}

#[expect(clippy::disallowed_methods, reason = "this is the edge")]
fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
