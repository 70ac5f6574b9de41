//! What the protocol has no method for: `/api/falconer/v1`.

use crate::pattern::POSITION;
use crate::table::{Call, Method, QueryParam, Service, Stability, Verb};

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
    description: "Every change makes a new revision, a whole number. The answer says up to which one this node has seen the changes; with the header `Falconer-At-Least: <revision>`, which every method takes, it waits up to a second for that one if the caller's credentials hold, and else answers 503. Whoever is not known gets the 503 at once. A revision of another history, from before a backup was restored, is 409.",
    input: None,
    output: Some("revision-response"),
};

pub(super) const EVENTS: Method = Method {
    call: Call::Events,
    service: Service::Falconer,
    name: "events",
    verb: Verb::Get,
    route: "/events",
    params: &[],
    query: &[QueryParam { name: "since", pattern: Some(POSITION) }],
    scopes: Some(r#""auth:events""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Changes",
    title: "Follow changes",
    description: "Every change of a client or a role the moment it happens, as server-sent events (`text/event-stream`) that never end by themselves: `client-created`, `client-updated`, `client-deleted` and the same for roles, each with data such as `{\"version\":1,\"clientId\":\"a\",\"revision\":17}`; besides, `ready` at the beginning, `reset` where changes were missed, `end` where the caller may follow no longer. With the id of the last event as `since`, or as the header `Last-Event-ID`, which wins, it goes on exactly behind that one.",
    input: None,
    output: None,
};

pub(super) const END_GRANT: Method = Method {
    call: Call::EndGrant,
    service: Service::Falconer,
    name: "endGrant",
    verb: Verb::Post,
    route: "/end-grant",
    params: &[],
    query: &[],
    scopes: Some(r#""auth:current-scopes""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Scopes and authentication",
    title: "End the grant of this request",
    description: "Ends the grant whose credentials sign this request, which is what signing out is: whoever has a copy of them can do nothing with it from then on, nor can clients that were made with the grant. Every grant has the scope. Credentials that are none of a grant, those of a client that was made with one, and a request that is restricted by `authorizedScopes` end nothing: 400. Called once more it is 401, for the credentials have ended. A request whose answer was lost may be repeated; `check` says with the reason `grant-revoked` that the grant has ended.",
    input: None,
    output: Some("revision-response"),
};
