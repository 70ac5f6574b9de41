//! What is tried. A target panics where something does not hold; what it answers otherwise says only what came of the input.

#![allow(clippy::panic, reason = "a target panics where something does not hold: that is how it says so")]

mod gateway;
mod github;
mod hawk;
mod http;
mod jws;
mod ldap;
mod pages;
mod people;
mod provider;
mod scim;
mod scopes;
mod text;

/// What came of an input: words and small numbers, such as the kind of a failure.
pub type Outcome = String;

/// Something that strangers can send.
#[derive(Clone, Copy)]
pub struct Target {
    /// As its corpus is called.
    pub name: &'static str,
    /// Reads an input.
    pub run: fn(&[u8]) -> Outcome,
}

/// All of them.
pub const TARGETS: [Target; 39] = [
    Target { name: "hawk-header", run: hawk::header },
    Target { name: "hawk-signed", run: hawk::signed },
    Target { name: "bewit", run: hawk::bewit },
    Target { name: "dpop-proof", run: jws::proof },
    Target { name: "client-assertion", run: jws::client },
    Target { name: "registered-key", run: jws::key },
    Target { name: "signed-token", run: jws::signed_token },
    Target { name: "ext", run: hawk::ext },
    Target { name: "payload-content-type", run: hawk::payload_content_type },
    Target { name: "scope-template", run: scopes::template },
    Target { name: "scope-set", run: scopes::set },
    Target { name: "time-expression", run: text::time_expression },
    Target { name: "date-time", run: text::date_time },
    Target { name: "continuation", run: text::continuation },
    Target { name: "target", run: pages::target },
    Target { name: "grant-query", run: pages::grant_query },
    Target { name: "markdown", run: pages::markdown },
    Target { name: "cookie", run: http::cookie },
    Target { name: "forwarded", run: http::forwarded },
    Target { name: "json-body", run: http::json_body },
    Target { name: "api-path", run: http::api_path },
    Target { name: "provider-document", run: provider::document },
    Target { name: "provider-keys", run: provider::keys },
    Target { name: "provider-token-answer", run: provider::token_answer },
    Target { name: "provider-id-token", run: provider::id_token },
    Target { name: "provider-claims", run: provider::claims },
    Target { name: "github-answers", run: github::answers },
    Target { name: "github-list", run: github::list },
    Target { name: "http-directory", run: people::directory },
    Target { name: "ldap-answer", run: ldap::answer },
    Target { name: "ldap-filter", run: ldap::filter },
    Target { name: "scim", run: scim::request },
    Target { name: "gateway-question", run: gateway::questions::question },
    Target { name: "gateway-envoy", run: gateway::questions::envoy },
    Target { name: "gateway-rules", run: gateway::questions::rules },
    Target { name: "gateway-cookie", run: gateway::questions::cookie },
    Target { name: "gateway-back", run: gateway::questions::back },
    Target { name: "gateway-head", run: gateway::heads::in_front },
    Target { name: "proxy-head", run: gateway::heads::signing },
];

/// The input as text. What is none in the input is a replacement character, which no format allows.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// How large something is, roughly: so that outcomes are few.
fn magnitude(n: usize) -> u32 {
    usize::BITS - n.leading_zeros()
}
