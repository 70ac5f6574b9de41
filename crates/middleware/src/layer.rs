use crate::guard::Guard;
use crate::refusal::asked;
use axum::extract::Request;
use axum::response::Response;
use falconer_scopes::Template;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// The layer that [`Guard::require`] and [`Guard::identify`] give.
#[derive(Clone)]
pub struct Require {
    guard: Guard,
    required: Option<Arc<Template>>,
}

impl Require {
    pub(crate) fn new(guard: Guard, required: Option<Template>) -> Require {
        Require { guard, required: required.map(Arc::new) }
    }
}

impl<S> Layer<S> for Require {
    type Service = Required<S>;

    fn layer(&self, inner: S) -> Required<S> {
        Required { inner, require: self.clone() }
    }
}

/// A service behind [`Require`].
#[derive(Clone)]
pub struct Required<S> {
    inner: S,
    require: Require,
}

impl<S> Service<Request> for Required<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was polled ready goes into the future; a fresh clone waits for the next call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let require = self.require.clone();
        Box::pin(async move {
            let info = asked(request.method(), request.uri());
            match require.guard.admit(request, require.required.as_deref()).await {
                Ok(request) => inner.call(request).await,
                Err(refusal) => Ok(refusal.response(info)),
            }
        })
    }
}
