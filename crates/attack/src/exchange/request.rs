use falconer_client::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::place::Route;

/// A request as it is sent.
#[derive(Clone)]
pub(crate) struct Crafted {
    pub method: Method,
    pub resource: String,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
}

impl Crafted {
    /// What a program sends that has no credentials.
    pub fn of(route: &Route) -> Crafted {
        let mut headers = HeaderMap::new();
        // A gateway leads browsers to a page; programs get an answer.
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
        if let Some(body) = &route.body
            && let Ok(content_type) = HeaderValue::from_str(&body.content_type)
        {
            headers.insert(CONTENT_TYPE, content_type);
        }
        Crafted {
            method: route.method.clone(),
            resource: route.resource.clone(),
            headers,
            body: route.body.as_ref().map(|body| body.bytes.clone()),
        }
    }

    /// In place of what was there. A name or value that no request can have is left out, and the request is what it was.
    pub fn set(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
    }

    pub fn authorization(&self) -> Option<&str> {
        self.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
    }
}
