//! Roles: read, create, change, delete.

use crate::pattern::{CONTINUATION_TOKEN, LIMIT, ROLE_ID};
use crate::table::{Call, Method, PathParam, QueryParam, Service, Stability, Verb};

pub(super) const LIST_ROLES: Method = Method {
    call: Call::ListRoles,
    service: Service::Auth,
    name: "listRoles",
    verb: Verb::Get,
    route: "/roles/",
    params: &[],
    query: &[],
    scopes: Some(r#""auth:list-roles""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Roles",
    title: "List roles, unpaged",
    description: "All roles as one array.",
    input: None,
    output: Some("list-roles-response"),
};

pub(super) const LIST_ROLES2: Method = Method {
    call: Call::ListRoles2,
    service: Service::Auth,
    name: "listRoles2",
    verb: Verb::Get,
    route: "/roles2/",
    params: &[],
    query: &[
        QueryParam { name: "continuationToken", pattern: Some(CONTINUATION_TOKEN) },
        QueryParam { name: "limit", pattern: Some(LIMIT) },
    ],
    scopes: Some(r#""auth:list-roles""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Roles",
    title: "List roles",
    description: "All roles, or a page of them with `limit`.",
    input: None,
    output: Some("list-roles2-response"),
};

pub(super) const LIST_ROLE_IDS: Method = Method {
    call: Call::ListRoleIds,
    service: Service::Auth,
    name: "listRoleIds",
    verb: Verb::Get,
    route: "/roleids/",
    params: &[],
    query: &[
        QueryParam { name: "continuationToken", pattern: Some(CONTINUATION_TOKEN) },
        QueryParam { name: "limit", pattern: Some(LIMIT) },
    ],
    scopes: Some(r#""auth:list-roles""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Roles",
    title: "List role ids",
    description: "The ids of all roles, or a page of them with `limit`.",
    input: None,
    output: Some("list-role-ids-response"),
};

pub(super) const ROLE: Method = Method {
    call: Call::Role,
    service: Service::Auth,
    name: "role",
    verb: Verb::Get,
    route: "/roles/<roleId>",
    params: &[PathParam { name: "roleId", pattern: Some(ROLE_ID) }],
    query: &[],
    scopes: Some(r#""auth:get-role:<roleId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Roles",
    title: "One role",
    description: "A role by its exact id, with what it expands to.",
    input: None,
    output: Some("get-role-response"),
};

pub(super) const CREATE_ROLE: Method = Method {
    call: Call::CreateRole,
    service: Service::Auth,
    name: "createRole",
    verb: Verb::Put,
    route: "/roles/<roleId>",
    params: &[PathParam { name: "roleId", pattern: Some(ROLE_ID) }],
    query: &[],
    scopes: Some(r#"{"AllOf": ["auth:create-role:<roleId>", {"for": "scope", "in": "scopes", "each": "<scope>"}]}"#),
    deferred: true,
    stability: Stability::Stable,
    category: "Roles",
    title: "Create a role",
    description: "Makes a role. The caller must hold every scope that the role gets, as written. A repetition with the same values is no error.",
    input: Some("create-role-request"),
    output: Some("get-role-response"),
};

pub(super) const UPDATE_ROLE: Method = Method {
    call: Call::UpdateRole,
    service: Service::Auth,
    name: "updateRole",
    verb: Verb::Post,
    route: "/roles/<roleId>",
    params: &[PathParam { name: "roleId", pattern: Some(ROLE_ID) }],
    query: &[],
    scopes: Some(r#"{"AllOf": ["auth:update-role:<roleId>", {"for": "scope", "in": "scopesAdded", "each": "<scope>"}]}"#),
    deferred: true,
    stability: Stability::Stable,
    category: "Roles",
    title: "Change a role",
    description: "Replaces description and scopes. The caller must hold the scopes that the old role did not give already.",
    input: Some("create-role-request"),
    output: Some("get-role-response"),
};

pub(super) const DELETE_ROLE: Method = Method {
    call: Call::DeleteRole,
    service: Service::Auth,
    name: "deleteRole",
    verb: Verb::Delete,
    route: "/roles/<roleId>",
    params: &[PathParam { name: "roleId", pattern: Some(ROLE_ID) }],
    query: &[],
    scopes: Some(r#""auth:delete-role:<roleId>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Roles",
    title: "Delete a role",
    description: "Removes a role. That there was none is no error.",
    input: None,
    output: None,
};
