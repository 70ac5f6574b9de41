//! Clients: read, create, change, disable, delete.

use crate::pattern::{CLIENT_ID, CONTINUATION_TOKEN, LIMIT};
use crate::table::{Call, Method, PathParam, QueryParam, Service, Stability, Verb};

/// Which clients a page holds.
pub(super) const PAGE_OF_CLIENTS: &[QueryParam] = &[
    QueryParam { name: "prefix", pattern: Some(CLIENT_ID) },
    QueryParam { name: "continuationToken", pattern: Some(CONTINUATION_TOKEN) },
    QueryParam { name: "limit", pattern: Some(LIMIT) },
];

pub(super) const LIST_CLIENTS: Method = Method {
    call: Call::ListClients,
    service: Service::Auth,
    name: "listClients",
    verb: Verb::Get,
    route: "/clients/",
    params: &[],
    query: PAGE_OF_CLIENTS,
    scopes: Some(r#""auth:list-clients""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Clients",
    title: "List clients",
    description: "All clients in the order of their ids, or those whose id begins with `prefix`. A page holds at most 1000; follow `continuationToken` while there is one.",
    input: None,
    output: Some("list-clients-response"),
};

pub(super) const CLIENT: Method = Method {
    call: Call::Client,
    service: Service::Auth,
    name: "client",
    verb: Verb::Get,
    route: "/clients/<clientId>",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#""auth:get-client:<clientId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Clients",
    title: "One client",
    description: "Everything about a client except its access token.",
    input: None,
    output: Some("get-client-response"),
};

pub(super) const CREATE_CLIENT: Method = Method {
    call: Call::CreateClient,
    service: Service::Auth,
    name: "createClient",
    verb: Verb::Put,
    route: "/clients/<clientId>",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#"{"AllOf": ["auth:create-client:<clientId>", {"for": "scope", "in": "scopes", "each": "<scope>"}]}"#),
    deferred: true,
    stability: Stability::Stable,
    category: "Clients",
    title: "Create a client",
    description: "Makes a client and returns its access token, the only time that it is shown. The caller must hold every scope that the client gets. A repetition with the same values within fifteen minutes returns the same client and token, so that a lost answer can be asked for again.",
    input: Some("create-client-request"),
    output: Some("create-client-response"),
};

pub(super) const RESET_ACCESS_TOKEN: Method = Method {
    call: Call::ResetAccessToken,
    service: Service::Auth,
    name: "resetAccessToken",
    verb: Verb::Post,
    route: "/clients/<clientId>/reset",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#""auth:reset-access-token:<clientId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Clients",
    title: "New access token",
    description: "Replaces the access token; the old one stops working at once. Whoever may do this may act as the client.",
    input: None,
    output: Some("create-client-response"),
};

pub(super) const UPDATE_CLIENT: Method = Method {
    call: Call::UpdateClient,
    service: Service::Auth,
    name: "updateClient",
    verb: Verb::Post,
    route: "/clients/<clientId>",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#"{"AllOf": ["auth:update-client:<clientId>", {"for": "scope", "in": "scopesAdded", "each": "<scope>"}]}"#),
    deferred: true,
    stability: Stability::Stable,
    category: "Clients",
    title: "Change a client",
    description: "Replaces expiry, description and, where given, the scopes. The caller must hold the scopes that are added; dropping scopes needs none of them.",
    input: Some("create-client-request"),
    output: Some("get-client-response"),
};

pub(super) const ENABLE_CLIENT: Method = Method {
    call: Call::EnableClient,
    service: Service::Auth,
    name: "enableClient",
    verb: Verb::Post,
    route: "/clients/<clientId>/enable",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#""auth:enable-client:<clientId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Clients",
    title: "Enable a client",
    description: "Lets a disabled client authenticate again.",
    input: None,
    output: Some("get-client-response"),
};

pub(super) const DISABLE_CLIENT: Method = Method {
    call: Call::DisableClient,
    service: Service::Auth,
    name: "disableClient",
    verb: Verb::Post,
    route: "/clients/<clientId>/disable",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#""auth:disable-client:<clientId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Clients",
    title: "Disable a client",
    description: "Keeps the client but refuses whatever it signs, and what was signed with certificates of its making.",
    input: None,
    output: Some("get-client-response"),
};

pub(super) const DELETE_CLIENT: Method = Method {
    call: Call::DeleteClient,
    service: Service::Auth,
    name: "deleteClient",
    verb: Verb::Delete,
    route: "/clients/<clientId>",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#""auth:delete-client:<clientId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Clients",
    title: "Delete a client",
    description: "Removes a client. That there was none is no error.",
    input: None,
    output: None,
};

pub(super) const CLIENT_RECORD: Method = Method {
    call: Call::ClientRecord,
    service: Service::Falconer,
    name: "clientRecord",
    verb: Verb::Get,
    route: "/clients/<clientId>",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#""auth:get-client:<clientId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Clients",
    title: "One client, and what it ends with",
    description: "A client as `client` shows it, and what the protocol has no member for: the grant that it was made with, and what was revoked of the temporary credentials that it has made.",
    input: None,
    output: Some("client-record-response"),
};

pub(super) const REVOKE_CERTIFICATES: Method = Method {
    call: Call::RevokeCertificates,
    service: Service::Falconer,
    name: "revokeCertificates",
    verb: Verb::Post,
    route: "/clients/<clientId>/revoke-certificates",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(r#"{"AnyOf": ["auth:revoke-certificates:<clientId>", "auth:update-client:<clientId>"]}"#),
    deferred: false,
    stability: Stability::Stable,
    category: "Clients",
    title: "Revoke temporary credentials",
    description: "Temporary credentials that a client has made, with a name or without, count no more from the answer on: all that start before `before`, or the one whose `seed` is given, or both; without either all that start before the present time. The access token stays, and whoever has it can make new ones: reset it where it is in wrong hands. `before` goes forward only. At most 100 single ones are remembered, each until it has ended by itself. The clients of the configuration can be named, too.",
    input: Some("revoke-certificates-request"),
    output: Some("client-record-response"),
};
