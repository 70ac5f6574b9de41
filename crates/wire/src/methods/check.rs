//! Questions of services about requests that they received: a verdict instead of a list, and why not.

use crate::pattern::REFUSAL_ID;
use crate::table::{Call, Method, PathParam, Service, Stability, Verb};

pub(super) const CHECK: Method = Method {
    call: Call::Check,
    service: Service::Falconer,
    name: "check",
    verb: Verb::Post,
    route: "/check",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Verification",
    title: "May this caller do this",
    description: "A service passes on what it needs of a request that it received, with the scope expression that the operation needs, and learns whether the signer may do that: `allowed`, `denied` with the part that is missing, or `failed` where the credentials do not hold or the body (`payloadHash`) is not the one that was signed. It learns nothing else about the caller's scopes, but for those below the prefixes of `reveal`. With `bearer` a service takes access tokens, too (`Bearer` in `authorization`), which sign nothing, and those that are bound to a key (`DPoP` there, with the proof in `dpop`). A proof counts once: who asks more about the same request sends `followUp` of the answer in its place. `each` asks about more expressions for the same request, such as one for each entry of a list. The answer is about that one request and must not be kept.",
    input: Some("check-request"),
    output: Some("check-response"),
};

pub(super) const CHECKS: Method = Method {
    call: Call::Checks,
    service: Service::Falconer,
    name: "checks",
    verb: Verb::Post,
    route: "/checks",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Verification",
    title: "Several checks at once",
    description: "The same for up to sixteen requests. Each is answered by itself, in the order of the questions.",
    input: Some("checks-request"),
    output: Some("checks-response"),
};

pub(super) const EXPLAIN: Method = Method {
    call: Call::Explain,
    service: Service::Falconer,
    name: "explain",
    verb: Verb::Get,
    route: "/explain/<refusalId>",
    params: &[PathParam { name: "refusalId", pattern: Some(REFUSAL_ID) }],
    query: &[],
    scopes: Some(r#""auth:explain:<refusalId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Verification",
    title: "Why not",
    description: "What was compared when a request was refused: method, host, port and path as they were seen, the caller's clock, payload hashes, scopes that were missing and roles that have them; and, where the signature was wrong, for what near by it would have been right. The id is in the answer of `check`, or in the header `Falconer-Refusal` of the refusal. Each node remembers its own recent refusals in memory; others are 404.",
    input: None,
    output: Some("explain-response"),
};
