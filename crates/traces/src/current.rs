//! The span within which something is done: it goes along with the future.

use std::sync::{Arc, OnceLock};

use crate::context::{Context, SpanId, TraceId};
use crate::span::{Kind, Span, Value};
use crate::tracer::Tracer;

tokio::task_local! {
    static CURRENT: Active;
}

/// A span that has begun. All clones are the same one.
#[derive(Clone)]
pub struct Active(Arc<Begun>);

/// The span within which another one was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// It is the first of its trace.
    None,
    /// Of another service.
    Elsewhere(SpanId),
    /// Of this one.
    Here(SpanId),
}

struct Begun {
    tracer: Arc<Tracer>,
    context: Context,
    parent: Parent,
    began_ns: u64,
    name: OnceLock<&'static str>,
}

impl Active {
    pub(crate) fn begin(tracer: Arc<Tracer>, context: Context, parent: Parent) -> Active {
        let began_ns = tracer.now_ns();
        Active(Arc::new(Begun { tracer, context, parent, began_ns, name: OnceLock::new() }))
    }

    /// Itself in its trace.
    pub fn context(&self) -> Context {
        self.0.context
    }

    /// Runs a future within this span.
    pub async fn within<F: Future>(&self, future: F) -> F::Output {
        CURRENT.scope(self.clone(), future).await
    }

    /// It has ended. `name` where nobody has given it one.
    pub fn end(&self, name: &'static str, kind: Kind, attributes: impl FnOnce() -> Vec<(&'static str, Value)>, has_failed: bool) {
        let Begun { tracer, context, parent, began_ns, name: given } = &*self.0;
        if !context.is_sampled {
            return;
        }
        tracer.sink().add(Span {
            context: *context,
            parent: match parent {
                Parent::None => None,
                Parent::Elsewhere(span) | Parent::Here(span) => Some(*span),
            },
            name: given.get().copied().unwrap_or(name),
            kind,
            began_ns: *began_ns,
            ended_ns: tracer.now_ns().max(*began_ns),
            attributes: attributes(),
            has_failed,
        });
    }

    /// A span within this one.
    fn child(&self) -> Active {
        let context = Context { span: self.0.tracer.new_span(), ..self.0.context };
        Active::begin(Arc::clone(&self.0.tracer), context, Parent::Here(self.0.context.span))
    }
}

/// The span that is recorded at present, if there is one.
fn recorded() -> Option<Active> {
    CURRENT.try_with(|active| active.0.context.is_sampled.then(|| active.clone())).ok().flatten()
}

/// The trace that this belongs to, recorded or not.
pub fn trace_id() -> Option<TraceId> {
    CURRENT.try_with(|active| active.0.context.trace).ok()
}

/// Says what the present span is. The first name stays.
pub fn name(name: &'static str) {
    let _ = CURRENT.try_with(|active| active.0.name.set(name));
}

/// Runs a future as a part of the present span. Where no span is recorded the future just runs. A future that is dropped before its end is not recorded.
pub async fn step<F: Future>(name: &'static str, kind: Kind, has_failed: impl FnOnce(&F::Output) -> bool, future: F) -> F::Output {
    let Some(span) = recorded().map(|active| active.child()) else { return future.await };
    let outcome = span.within(future).await;
    let has_failed = has_failed(&outcome);
    span.end(name, kind, Vec::new, has_failed);
    outcome
}

/// The same future as a part of the present span, for a task of its own.
pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let active = CURRENT.try_with(Clone::clone).ok();
    async move {
        match active {
            Some(active) => active.within(future).await,
            None => future.await,
        }
    }
}
