//! Traces: what took how long within one request, across services, in the words of OpenTelemetry.
//!
//! A caller says with `traceparent` which trace a request belongs to ([`Context`]). [`Tracer::request`] begins a span for it, within which [`step`] makes spans of
//! parts. Whoever goes on in a task of its own takes the trace along with [`carry`]. Spans that ended go to a [`Sink`], which never waits; `otlp` writes them as
//! bytes.
//!
//! What is deliberately not here: sending, a clock, randomness. A span holds nothing that a caller chose: no path, no id of a client or role, no scope.
//!
//! To record another part of a request, run it within [`step`].

mod context;
mod current;
pub mod otlp;
mod span;
mod tracer;

pub use context::{Context, SpanId, TraceId};
pub use current::{Active, Parent, carry, name, step, trace_id};
pub use span::{Counts, Kind, Sink, Span, Value};
pub use tracer::Tracer;
