use http::{HeaderMap, header};

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
    /// Its address, for Falconer's log.
    pub(crate) source_ip: Option<&'a str>,
}

impl RequestHead<'_> {
    /// A browser asks whether a page of another origin may send a request.
    pub(crate) fn is_preflight(&self) -> bool {
        self.method == "OPTIONS"
            && self.headers.contains_key(header::ORIGIN)
            && self.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The request has a signature of its own.
    pub(crate) fn is_signed(&self) -> bool {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        self.headers.contains_key(header::AUTHORIZATION) || query.split('&').any(|pair| pair.starts_with("bewit="))
    }
}
