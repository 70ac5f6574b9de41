use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use falconer_scopes::Expression;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use tower::{BoxError, Layer, Service};

use crate::tower::{Guard, body, parts, refused};
use crate::{Proof, Refusal, Requirement, SignedRequest};

/// Whoever signed nothing wrong satisfies it.
const NOTHING: Expression = Expression::AllOf(Vec::new());

/// The layer that verifies requests and puts a [`Caller`](crate::Caller) into their extensions. [`Guard`] gives it.
#[derive(Clone, Debug)]
pub struct Require {
    guard: Guard,
    requirement: Option<Arc<Requirement>>,
}

impl Require {
    pub(crate) fn new(guard: Guard, requirement: Option<Requirement>) -> Require {
        Require { guard, requirement: requirement.map(Arc::new) }
    }

    /// For clients of OAuth 2, where the service says where tokens come from.
    fn challenge(&self, refusal: &Refusal, authorization: Option<&HeaderValue>) -> Option<HeaderValue> {
        let challenge = self.guard.verifier.protected_resource()?.challenge(refusal, authorization.map(HeaderValue::as_bytes))?;
        HeaderValue::try_from(challenge).ok()
    }

    /// The request with a caller in it and whether its URL is signed, or why it goes no further.
    async fn admit<B>(&self, request: Request<B>) -> Result<(Request<B>, bool), Refusal>
    where
        B: Body + From<Bytes>,
        B::Error: Into<BoxError>,
    {
        let (mut parts, body) = request.into_parts();
        let source_ip = parts::source_ip(&parts);
        let required = match &self.requirement {
            Some(requirement) => Some(requirement.expression(&parts::path_parameters(&mut parts).await?)?),
            None => None,
        };
        let authorization = parts::authorization(&parts.headers)?;
        let proof = Proof::header(authorization, || parts.headers.get_all("dpop").iter().map(HeaderValue::as_bytes));
        let signed = SignedRequest {
            method: parts.method.as_str(),
            resource: parts::resource(&parts),
            authorization,
            proof: proof.as_deref().map_or(Proof::Nothing, Proof::Header),
            source_ip: source_ip.as_deref(),
        };
        let traces = parts.headers.get_all("traceparent");
        let verifier = match parts.headers.contains_key("traceparent") {
            true => Cow::Owned(self.guard.verifier.clone().within_trace(traces.iter().map(HeaderValue::as_bytes))),
            false => Cow::Borrowed(&self.guard.verifier),
        };
        let verification = match &required {
            Some(required) => verifier.check(&signed, required).await,
            None => verifier.check(&signed, &NOTHING).await,
        };
        let verified = match verification {
            Ok(verified) => verified,
            Err(refusal) => {
                let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
                if let (true, Some(host)) = (refusal.is_bad_mac(), host)
                    && let Some(found) = verifier.look_for_other_origin(&signed, host).await
                {
                    tracing::warn!("{found} (looked for at most once a minute)");
                }
                return Err(refusal);
            }
        };
        let is_signed_url = parts::is_signed_url(signed.resource);
        let (caller, body) = body::compare(verified, &parts.headers, body, self.guard.body_limit_bytes).await?;
        parts.extensions.insert(caller);
        Ok((Request::from_parts(parts, body), is_signed_url))
    }
}

impl<S> Layer<S> for Require {
    type Service = Required<S>;

    fn layer(&self, inner: S) -> Required<S> {
        Required { inner, require: self.clone() }
    }
}

/// A service behind [`Require`].
#[derive(Clone, Debug)]
pub struct Required<S> {
    inner: S,
    require: Require,
}

impl<S, B, R> Service<Request<B>> for Required<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Body + From<Bytes> + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that was polled ready goes into the future; a fresh clone waits for the next call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let require = self.require.clone();
        Box::pin(async move {
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let authorization = request.headers().get(header::AUTHORIZATION).cloned();
            match require.admit(request).await {
                Ok((request, is_signed_url)) => {
                    let mut response = inner.call(request).await?;
                    if is_signed_url && !response.headers().contains_key(header::CACHE_CONTROL) {
                        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
                    }
                    Ok(response)
                }
                Err(refusal) => Ok(refused(&refusal, &method, &uri, require.challenge(&refusal, authorization.as_ref()))),
            }
        })
    }
}
