//! Expansion, the scopes of a request, and verification of requests for other services.

use crate::table::{Call, Method, Service, Stability, Verb};

pub(super) const EXPAND_SCOPES: Method = Method {
    call: Call::ExpandScopes,
    service: Service::Auth,
    name: "expandScopes",
    verb: Verb::Post,
    route: "/scopes/expand",
    params: &[],
    query: &[],
    scopes: Some(r#""auth:expand-scopes""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Scopes and authentication",
    title: "Expand scopes",
    description: "The given scopes with everything that roles add to them, sorted and without what is covered by others.",
    input: Some("scopeset"),
    output: Some("scopeset"),
};

pub(super) const CURRENT_SCOPES: Method = Method {
    call: Call::CurrentScopes,
    service: Service::Auth,
    name: "currentScopes",
    verb: Verb::Get,
    route: "/scopes/current",
    params: &[],
    query: &[],
    scopes: Some(r#""auth:current-scopes""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Scopes and authentication",
    title: "Scopes of this request",
    description: "What the credentials of this very request are worth.",
    input: None,
    output: Some("scopeset"),
};

pub(super) const AUTHENTICATE_HAWK: Method = Method {
    call: Call::AuthenticateHawk,
    service: Service::Auth,
    name: "authenticateHawk",
    verb: Verb::Post,
    route: "/authenticate-hawk",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Scopes and authentication",
    title: "Verify a signed request",
    description: "A service passes on what it needs of a request that it received, and learns who signed it with which scopes. The answer is about that one request and must not be kept.",
    input: Some("authenticate-hawk-request"),
    output: Some("authenticate-hawk-response"),
};

pub(super) const TEST_AUTHENTICATE: Method = Method {
    call: Call::TestAuthenticate,
    service: Service::Auth,
    name: "testAuthenticate",
    verb: Verb::Post,
    route: "/test-authenticate",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Scopes and authentication",
    title: "Try a client library",
    description: "For the test suites of client libraries: checks a request signed by the client `tester` with the access token `no-secret` against the scopes in the request.",
    input: Some("test-authenticate-request"),
    output: Some("test-authenticate-response"),
};

pub(super) const TEST_AUTHENTICATE_GET: Method = Method {
    call: Call::TestAuthenticateGet,
    service: Service::Auth,
    name: "testAuthenticateGet",
    verb: Verb::Get,
    route: "/test-authenticate-get/",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Scopes and authentication",
    title: "Try a client library with a GET",
    description: "Like testAuthenticate, with fixed scopes, so that signed URLs can be tried.",
    input: None,
    output: Some("test-authenticate-response"),
};
