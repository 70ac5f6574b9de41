//! Who changed what, and when.

use crate::pattern::{CLIENT_ID, CONTINUATION_TOKEN, ENTITY_TYPE, LIMIT};
use crate::table::{Call, Method, PathParam, QueryParam, Service, Stability, Verb};

pub(super) const GET_ENTITY_HISTORY: Method = Method {
    call: Call::GetEntityHistory,
    service: Service::Auth,
    name: "getEntityHistory",
    verb: Verb::Get,
    route: "/audit/<entityType>/<entityId>",
    params: &[PathParam { name: "entityType", pattern: Some(ENTITY_TYPE) }, PathParam { name: "entityId", pattern: None }],
    query: &[
        QueryParam { name: "continuationToken", pattern: Some(CONTINUATION_TOKEN) },
        QueryParam { name: "limit", pattern: Some(LIMIT) },
    ],
    scopes: Some(r#""auth:audit-history:<entityType>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Audit",
    title: "What happened to an entity",
    description: "The changes of one client or role, oldest first.",
    input: None,
    output: Some("get-entity-history-response"),
};

pub(super) const LIST_AUDIT_HISTORY: Method = Method {
    call: Call::ListAuditHistory,
    service: Service::Auth,
    name: "listAuditHistory",
    verb: Verb::Get,
    route: "/clients/<clientId>/audit",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[
        QueryParam { name: "continuationToken", pattern: Some(CONTINUATION_TOKEN) },
        QueryParam { name: "limit", pattern: Some(LIMIT) },
    ],
    scopes: Some(r#""auth:client-audit-history:<clientId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Audit",
    title: "What a client did",
    description: "The changes that a client made, oldest first.",
    input: None,
    output: Some("get-entity-history-response"),
};
