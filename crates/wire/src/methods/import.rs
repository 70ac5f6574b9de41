//! Records that come from elsewhere or go there: clients with the grants that they end with, a client with its token, and many at once.

use super::clients::PAGE_OF_CLIENTS;
use crate::pattern::CLIENT_ID;
use crate::table::{Call, Method, PathParam, Service, Stability, Verb};

pub(super) const LIST_CLIENT_RECORDS: Method = Method {
    call: Call::ListClientRecords,
    service: Service::Falconer,
    name: "listClientRecords",
    verb: Verb::Get,
    route: "/clients/",
    params: &[],
    query: PAGE_OF_CLIENTS,
    scopes: Some(r#""auth:list-clients""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Moving",
    title: "List clients, and what they end with",
    description: "All clients in the order of their ids, or those whose id begins with `prefix`, as `listClients` shows them, and with one member more: `grant` is the id of the grant that the client was made with. Such a client is worth at most what the grant is worth, and ends with it. A page holds at most 1000; follow `continuationToken` while there is one.",
    input: None,
    output: Some("list-client-records-response"),
};

pub(super) const PUT_CLIENT: Method = Method {
    call: Call::PutClient,
    service: Service::Falconer,
    name: "putClient",
    verb: Verb::Put,
    route: "/clients/<clientId>",
    params: &[PathParam { name: "clientId", pattern: Some(CLIENT_ID) }],
    query: &[],
    scopes: Some(
        r#"{"AllOf": ["auth:create-client:<clientId>", "auth:set-access-token:<clientId>", {"for": "scope", "in": "scopesAdded", "each": "<scope>"}]}"#,
    ),
    deferred: true,
    stability: Stability::Stable,
    category: "Moving",
    title: "Create or replace a client, with its access token",
    description: "Makes a client what the body says, its access token included, so that whoever has that token goes on with it. Where the client is there, the caller needs `auth:update-client:<clientId>` in place of `auth:create-client:<clientId>`, and `auth:enable-client:<clientId>` or `auth:disable-client:<clientId>` where that changes. The same body again changes nothing.",
    input: Some("put-client-request"),
    output: Some("put-client-response"),
};

pub(super) const IMPORT_BATCH: Method = Method {
    call: Call::ImportBatch,
    service: Service::Falconer,
    name: "importBatch",
    verb: Verb::Post,
    route: "/import",
    params: &[],
    query: &[],
    scopes: Some(
        r#"{"AllOf": [{"for": "roleId", "in": "roleIds", "each": "auth:create-role:<roleId>"}, {"for": "clientId", "in": "clientIds", "each": "auth:create-client:<clientId>"}, {"for": "clientId", "in": "clientIdsWithToken", "each": "auth:set-access-token:<clientId>"}, {"for": "scope", "in": "scopesAdded", "each": "<scope>"}]}"#,
    ),
    deferred: true,
    stability: Stability::Stable,
    category: "Moving",
    title: "Many roles and clients at once",
    description: "Makes roles and clients what the body says: all of them or none, in one revision. Records that are not named are left alone, and the same body again changes nothing. For each record the caller needs what createRole, updateRole, createClient, updateClient, enableClient or disableClient would take, and `auth:set-access-token:<clientId>` where a token is given. Roles are validated together, as they are afterwards. An error names the record that is at fault, such as `clients[3] \"project/robot\"`.",
    input: Some("import-batch-request"),
    output: Some("import-batch-response"),
};
