//! What monitoring asks.

use crate::table::{Call, Method, Service, Stability, Verb};

pub(super) const PING: Method = Method {
    call: Call::Ping,
    service: Service::Auth,
    name: "ping",
    verb: Verb::Get,
    route: "/ping",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Monitoring",
    title: "Is it there",
    description: "Answers as long as the process does, with the seconds since it started.",
    input: None,
    output: None,
};

pub(super) const LBHEARTBEAT: Method = Method {
    call: Call::Lbheartbeat,
    service: Service::Auth,
    name: "lbheartbeat",
    verb: Verb::Get,
    route: "/__lbheartbeat__",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Monitoring",
    title: "Load balancer heartbeat",
    description: "Answers as long as the process can take requests.",
    input: None,
    output: None,
};

pub(super) const VERSION: Method = Method {
    call: Call::Version,
    service: Service::Auth,
    name: "version",
    verb: Verb::Get,
    route: "/__version__",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Monitoring",
    title: "Version",
    description: "Which build answers: version, commit, source and build as texts.",
    input: None,
    output: None,
};

pub(super) const HEARTBEAT: Method = Method {
    call: Call::Heartbeat,
    service: Service::Auth,
    name: "heartbeat",
    verb: Verb::Get,
    route: "/__heartbeat__",
    params: &[],
    query: &[],
    scopes: None,
    deferred: false,
    stability: Stability::Stable,
    category: "Monitoring",
    title: "Heartbeat",
    description: "Answers when what the service depends on answers too.",
    input: None,
    output: None,
};
