//! Which requests are recorded, and what a request is given.

use std::sync::Arc;

use crate::context::{Context, SpanId, TraceId};
use crate::current::{Active, Parent};
use crate::span::{Counts, Sink};

type FillRandom = Box<dyn Fn(&mut [u8]) + Send + Sync>;

/// Begins spans.
pub struct Tracer {
    /// Of 2^64 new traces so many are recorded.
    recorded: u64,
    sink: Arc<dyn Sink>,
    now_ns: Box<dyn Fn() -> u64 + Send + Sync>,
    random: FillRandom,
}

impl Tracer {
    /// `ratio`: which part of new traces is recorded, from 0 to 1. Of those that callers have begun, those are recorded that they say are. `now_ns`: nanoseconds since
    /// 1970. `random` fills bytes.
    pub fn new(
        ratio: f64,
        sink: Arc<dyn Sink>,
        now_ns: impl Fn() -> u64 + Send + Sync + 'static,
        random: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Arc<Tracer> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; a cast saturates")]
        let recorded = (ratio.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
        Arc::new(Tracer { recorded, sink, now_ns: Box::new(now_ns), random: Box::new(random) })
    }

    /// The span of a request that has come, with the value of its `traceparent`. It is recorded by [`Active::end`].
    pub fn request(self: &Arc<Tracer>, traceparent: Option<&[u8]>) -> Active {
        let parent = traceparent.and_then(Context::parse);
        let (trace, is_sampled) = match parent {
            Some(parent) => (parent.trace, parent.is_sampled),
            None => self.new_trace(),
        };
        let context = Context { trace, span: self.new_span(), is_sampled };
        Active::begin(Arc::clone(self), context, parent.map_or(Parent::None, |parent| Parent::Elsewhere(parent.span)))
    }

    /// What became of spans since the start.
    pub fn counts(&self) -> Counts {
        self.sink.counts()
    }

    fn new_trace(&self) -> (TraceId, bool) {
        let mut id = [0; 16];
        (self.random)(&mut id);
        // Never all zero, which would be no id.
        id[0] |= 1;
        let [.., a, b, c, d, e, f, g, h] = id;
        (TraceId(id), u64::from_be_bytes([a, b, c, d, e, f, g, h]) < self.recorded)
    }

    pub(crate) fn new_span(&self) -> SpanId {
        let mut id = [0; 8];
        (self.random)(&mut id);
        id[0] |= 1;
        SpanId(id)
    }

    pub(crate) fn now_ns(&self) -> u64 {
        (self.now_ns)()
    }

    pub(crate) fn sink(&self) -> &dyn Sink {
        &*self.sink
    }
}
