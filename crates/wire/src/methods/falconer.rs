//! What the protocol has no method for: `/api/falconer/v1`.

use crate::table::{Call, Method, Service, Stability, Verb};

pub(super) const REVISION: Method = Method {
    call: Call::Revision,
    service: Service::Falconer,
    name: "revision",
    verb: Verb::Get,
    route: "/revision",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Changes",
    title: "Revision of this node",
    description: "Every change makes a new revision, a whole number. The answer says up to which one this node has seen the changes; with the header `Falconer-At-Least: <revision>`, which every method takes, it waits up to a second for that one and else answers 503.",
    input: None,
    output: Some("revision-response"),
};
