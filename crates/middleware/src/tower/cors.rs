use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use falconer_client::Origin;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tower::{Layer, Service};

use crate::SettingsError;

/// Lets pages of other origins call a service: answers preflights, and marks every answer, errors included. Mount it outermost
/// (in axum, `Router::layer`). Signed calls need no cookies, so credentials mode is never allowed.
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Option<Arc<[HeaderValue]>>,
}

impl Cors {
    /// Pages of every origin may call: right for services whose calls are all signed.
    #[must_use]
    pub fn any() -> Cors {
        Cors { origins: None }
    }

    /// Only pages of these origins, such as `https://notes.example.com`: upper case, the scheme's own port and a slash at the end make no difference. Errors:
    /// [`SettingsError::PageOrigin`], for what is no origin.
    pub fn only<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Cors, SettingsError> {
        let read = |origin: &str| {
            let sent = Origin::as_sent(origin).and_then(|sent| HeaderValue::try_from(sent).map_err(|error| error.to_string()));
            sent.map_err(|problem| SettingsError::PageOrigin { origin: origin.to_owned(), problem })
        };
        Ok(Cors { origins: Some(origins.into_iter().map(read).collect::<Result<_, _>>()?) })
    }

    /// The value that allows the origin of a request.
    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match &self.origins {
            None => Some(HeaderValue::from_static("*")),
            Some(origins) => origin.filter(|origin| origins.contains(origin)).cloned(),
        }
    }

    fn mark(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if let Some(allowed) = self.allowed(origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate, Retry-After, Date"));
        }
        if self.origins.is_some() {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
    }

    fn preflight<R: From<Bytes>>(&self, origin: Option<&HeaderValue>) -> Response<R> {
        let mut response = Response::new(R::from(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        self.mark(origin, headers);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, DPoP"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("900"));
        response
    }
}

impl<S> Layer<S> for Cors {
    type Service = CorsService<S>;

    fn layer(&self, inner: S) -> CorsService<S> {
        CorsService { inner, cors: self.clone() }
    }
}

/// A service behind [`Cors`].
#[derive(Clone, Debug)]
pub struct CorsService<S> {
    inner: S,
    cors: Cors,
}

impl<S, B, R> Service<Request<B>> for CorsService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: From<Bytes> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let cors = self.cors.clone();
        let origin = request.headers().get(header::ORIGIN).cloned();
        if request.method() == Method::OPTIONS && origin.is_some() && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            let response = cors.preflight(origin.as_ref());
            return Box::pin(std::future::ready(Ok(response)));
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            cors.mark(origin.as_ref(), response.headers_mut());
            Ok(response)
        })
    }
}
