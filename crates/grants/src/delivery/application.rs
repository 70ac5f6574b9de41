//! Delivery to a registered application: OAuth 2 answers, in the query or in the fragment.

use std::sync::Arc;

use crate::applications::application::Application;
use crate::delivery::redirect::{ResponseMode, encode_component};
use crate::device::answer::DeviceDelivery;
use crate::openid::request::OpenIdRequest;
use crate::targets::target::Target;
use crate::widening::answer::Widening;

/// How the credentials of a grant, or the way to them, reach whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The credentials themselves, in the URL: the form that every site knows, registered or not.
    Credentials {
        /// Where in the URL they are to stand.
        mode: ResponseMode,
        /// Cancel is told to the target: a program on the person's own machine that waits. Always false for other targets.
        tell_cancel: bool,
    },
    /// An answer of OAuth 2, to be exchanged for them.
    OAuth(Box<OAuthDelivery>),
    /// A device comes for it.
    Device(Box<DeviceDelivery>),
    /// Whoever has a grant, and asked for more, comes for it.
    Widening(Box<Widening>),
}

/// What a registered application asked for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthDelivery {
    /// Who asked.
    pub application: Arc<Application>,
    /// As it was sent; the same has to come with the code.
    pub(crate) redirect_uri: String,
    pub(crate) response: ResponseType,
    /// The `code_challenge`, of the method S256.
    pub(crate) challenge: Option<String>,
    /// The key that the code is bound to (RFC 9449 section 10), as a thumbprint.
    pub(crate) jkt: Option<String>,
    pub(crate) state: Option<String>,
    /// `prompt=consent`: the person is asked, whatever is remembered.
    pub(crate) is_to_be_asked: bool,
    /// What its tokens are to be for.
    pub(crate) resources: Vec<String>,
    /// It asks who the person is.
    pub(crate) openid: Option<OpenIdRequest>,
    /// Falconer's own origin, for `iss` (RFC 9207).
    pub(crate) issuer: String,
}

/// `response_type`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseType {
    /// `code`
    Code,
    /// `token`: the implicit flow.
    Token,
}

impl ResponseType {
    pub(crate) fn mode(self) -> ResponseMode {
        match self {
            ResponseType::Code => ResponseMode::Query,
            ResponseType::Token => ResponseMode::Fragment,
        }
    }
}

impl OAuthDelivery {
    /// The URL that carries these parameters to the application, with its `state` and our `iss`.
    pub(crate) fn location(&self, target: &Target, parameters: &[(&str, &str)]) -> String {
        location(target, self.response.mode(), parameters, self.state.as_deref(), &self.issuer)
    }
}

pub(crate) fn location(target: &Target, mode: ResponseMode, parameters: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let state = state.map(|state| ("state", state));
    let all = parameters.iter().copied().chain(state).chain([("iss", issuer)]);
    let written: Vec<String> = all.map(|(name, value)| format!("{name}={}", encode_component(value))).collect();
    target.with_parameters(mode, &written.join("&"))
}
