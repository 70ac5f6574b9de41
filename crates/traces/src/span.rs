//! A span that has ended, and where it goes.

use crate::context::{Context, SpanId};

/// Whose side of a call a span is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A part of something.
    Internal,
    /// Somebody else asked.
    Server,
    /// Somebody else is asked.
    Client,
}

/// What an attribute says. Never anything that a caller chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// One of a few words.
    Word(&'static str),
    /// Text of our own, such as the id of a request.
    Text(String),
    /// A number.
    Number(i64),
}

/// What was done, and from when to when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Itself in its trace.
    pub context: Context,
    /// The span within which it was done, perhaps of another service.
    pub parent: Option<SpanId>,
    /// One of a few names.
    pub name: &'static str,
    /// Whose side it is on.
    pub kind: Kind,
    /// Nanoseconds since 1970.
    pub began_ns: u64,
    /// Nanoseconds since 1970.
    pub ended_ns: u64,
    /// More about it.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whether it failed through a fault of ours.
    pub has_failed: bool,
}

/// Where spans go that have ended.
pub trait Sink: Send + Sync {
    /// Takes one, or drops it and counts that. Never waits.
    fn add(&self, span: Span);
    /// What became of them since the start.
    fn counts(&self) -> Counts;
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whoever collects them has taken them.
    pub exported: u64,
    /// There was no room, or nobody took them.
    pub dropped: u64,
}
