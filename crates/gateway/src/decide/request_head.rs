use std::net::IpAddr;

use http::{HeaderMap, header};

/// Headers whose value frameworks take for the method. A form's `_method` lies in the body, which is not seen here.
const METHODS_TUNNELLED: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// A request as the client sent it, however the gateway got to know of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestHead<'a> {
    /// As it was sent.
    pub(crate) method: &'a str,
    /// Path and query as they were sent.
    pub(crate) target: &'a str,
    /// The host that the client named, with its port if it wrote one.
    pub(crate) host: &'a str,
    /// What else it sent.
    pub(crate) headers: &'a HeaderMap,
    /// Its address, where it is known: for bounds, and for Falconer's log.
    pub(crate) source_ip: Option<IpAddr>,
}

impl RequestHead<'_> {
    /// A browser asks whether a page of another origin may send a request.
    pub(crate) fn is_preflight(&self) -> bool {
        self.method == "OPTIONS"
            && self.headers.contains_key(header::ORIGIN)
            && self.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// A service that takes the method from elsewhere would read another one: tunnels for clients that know GET and POST only.
    pub(crate) fn names_another_method(&self) -> bool {
        let tunnelled = self.headers.iter().filter(|(name, _)| METHODS_TUNNELLED.iter().any(|one| is_read_as(name.as_str(), one)));
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let is_other = |method: &[u8]| !method.trim_ascii().eq_ignore_ascii_case(self.method.as_bytes());
        tunnelled.into_iter().any(|(_, value)| is_other(value.as_bytes()))
            || url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "_method" && is_other(value.as_bytes()))
    }

    /// The request has a signature of its own.
    pub(crate) fn is_signed(&self) -> bool {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        self.headers.contains_key(header::AUTHORIZATION) || query.split('&').any(|pair| pair.starts_with("bewit="))
    }
}

/// Whether a service may take a name for this one: many make dashes of underscores.
fn is_read_as(name: &str, one: &str) -> bool {
    name.len() == one.len() && name.bytes().zip(one.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn another_method_is_seen_wherever_it_stands() {
        for (method, target, header, other) in [
            ("POST", "/", None, false),
            ("POST", "/", Some(("x-http-method-override", "DELETE")), true),
            ("GET", "/", Some(("x_http_method_override", "PUT")), true),
            ("POST", "/", Some(("x-http-method", "PUT")), true),
            ("POST", "/", Some(("x-method-override", "")), true),
            ("GET", "/", Some(("x-http-method-override", "get")), false),
            ("GET", "/", Some(("x-http-status", "PUT")), false),
            ("POST", "/?a=b&_method=delete", None, true),
            ("POST", "/?%5Fmetho%64=DELETE", None, true),
            ("POST", "/?_method=POST&_method=DELETE", None, true),
            ("POST", "/?_method=POST&method=DELETE", None, false),
        ] {
            let headers: HeaderMap =
                header.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).into_iter().collect();
            let head = RequestHead { method, target, host: "", headers: &headers, source_ip: None };
            assert_eq!(head.names_another_method(), other, "{method} {target} {header:?}");
        }
    }
}
