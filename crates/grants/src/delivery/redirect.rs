//! Delivery: the URL that carries credentials to a target.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::targets::target::Target;

/// Everything that encodeURIComponent encodes.
const COMPONENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'!').remove(b'~').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// Where the credentials stand in the URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query, or at the end of the fragment where the target has one. What every existing site expects.
    #[default]
    Query,
    /// Always in the fragment, which browsers do not send to the server.
    Fragment,
}

impl ResponseMode {
    /// `query` or `fragment`.
    pub fn as_str(self) -> &'static str {
        match self {
            ResponseMode::Query => "query",
            ResponseMode::Fragment => "fragment",
        }
    }
}

/// What a target is given. Never logged, so no `Debug`.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// `<identity>/<host>/<id>`
    pub client_id: &'a str,
    /// 44 characters or so.
    pub access_token: &'a str,
    /// JSON text.
    pub certificate: &'a str,
}

impl Target {
    /// The URL that delivers the credentials. Its origin is that of the target, its path too.
    pub fn deliver(&self, mode: ResponseMode, credentials: &Credentials<'_>) -> String {
        let parameters = format!(
            "clientId={}&accessToken={}&certificate={}",
            encode_component(credentials.client_id),
            encode_component(credentials.access_token),
            encode_component(credentials.certificate),
        );
        self.with_parameters(mode, &parameters)
    }

    /// The URL that tells a program that nothing was granted, with the word that OAuth has for it (RFC 6749 section 4.1.2.1).
    pub fn deliver_cancel(&self, mode: ResponseMode) -> String {
        self.with_parameters(mode, "error=access_denied")
    }

    pub(crate) fn with_parameters(&self, mode: ResponseMode, parameters: &str) -> String {
        let href = self.href();
        let separator = match (href.split_once('#'), mode) {
            (Some((_, "")), ResponseMode::Fragment) => "",
            (Some((_, fragment)), _) => separator_in(fragment),
            (None, ResponseMode::Query) => separator_in(href),
            (None, ResponseMode::Fragment) => "#",
        };
        format!("{href}{separator}{parameters}")
    }
}

/// `?` begins the parameters, and `&` goes on with them. A text that ends in `?` or `&` needs neither.
fn separator_in(text: &str) -> &'static str {
    if !text.contains('?') {
        "?"
    } else if text.ends_with(['?', '&']) {
        ""
    } else {
        "&"
    }
}

/// Percent-encodes as JavaScript's encodeURIComponent does.
pub fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}
