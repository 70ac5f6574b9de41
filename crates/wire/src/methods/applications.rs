//! Applications that ask people for grants by OAuth 2, as they are kept in the database; and parts of grants, for whoever has one.

use crate::pattern::{APPLICATION_ID, CONTINUATION_TOKEN, LIMIT};
use crate::table::{Call, Method, PathParam, QueryParam, Service, Stability, Verb};

pub(super) const LIST_APPLICATIONS: Method = Method {
    call: Call::ListApplications,
    service: Service::Falconer,
    name: "listApplications",
    verb: Verb::Get,
    route: "/applications",
    params: &[],
    query: &[
        QueryParam { name: "continuationToken", pattern: Some(CONTINUATION_TOKEN) },
        QueryParam { name: "limit", pattern: Some(LIMIT) },
    ],
    scopes: Some(r#""auth:list-applications""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Applications",
    title: "List applications",
    description: "All applications of the database in the order of their ids; those of the configuration are not among them. A page holds at most 1000: follow `continuationToken` while there is one.",
    input: None,
    output: Some("list-applications-response"),
};

pub(super) const APPLICATION: Method = Method {
    call: Call::Application,
    service: Service::Falconer,
    name: "application",
    verb: Verb::Get,
    route: "/applications/<applicationId>",
    params: &[PathParam { name: "applicationId", pattern: Some(APPLICATION_ID) }],
    query: &[],
    scopes: Some(r#"{"if": "notOwned", "then": "auth:list-applications"}"#),
    deferred: true,
    stability: Stability::Stable,
    category: "Applications",
    title: "One application",
    description: "An application of the database. Whoever owns it needs no scope for it. Its secret is in no answer but the one to whoever made it.",
    input: None,
    output: Some("application-response"),
};

pub(super) const PUT_APPLICATION: Method = Method {
    call: Call::PutApplication,
    service: Service::Falconer,
    name: "putApplication",
    verb: Verb::Put,
    route: "/applications/<applicationId>",
    params: &[PathParam { name: "applicationId", pattern: Some(APPLICATION_ID) }],
    query: &[],
    scopes: Some(r#"{"AllOf": ["auth:create-application:<applicationId>", {"for": "scope", "in": "scopes", "each": "<scope>"}]}"#),
    deferred: true,
    stability: Stability::Stable,
    category: "Applications",
    title: "Make or change an application",
    description: "Makes an application what the body says. What is left out has its default. Where the application is there, the caller needs `auth:update-application:<applicationId>` in place of `auth:create-application:<applicationId>`; a client of its owner needs `auth:update-own-application:<applicationId>` only. The caller holds each scope that the application may ask for, and `auth:skip-consent:<applicationId>` where `skipConsent` is true. A confidential application that has no secret gets one, which is in the answer to that request only. Not with credentials of a grant. The same body again changes nothing.",
    input: Some("put-application-request"),
    output: Some("application-response"),
};

pub(super) const RESET_APPLICATION_SECRET: Method = Method {
    call: Call::ResetApplicationSecret,
    service: Service::Falconer,
    name: "resetApplicationSecret",
    verb: Verb::Post,
    route: "/applications/<applicationId>/reset-secret",
    params: &[PathParam { name: "applicationId", pattern: Some(APPLICATION_ID) }],
    query: &[],
    scopes: Some(r#"{"AllOf": ["auth:update-application:<applicationId>", {"for": "scope", "in": "scopes", "each": "<scope>"}]}"#),
    deferred: true,
    stability: Stability::Stable,
    category: "Applications",
    title: "Another secret for an application",
    description: "Makes another secret of a confidential application, which is in this answer only. The one before counts for `overlapSeconds` more, a day where nothing is said; one that was there before that ends at once. It takes what changing the application takes.",
    input: Some("reset-application-secret-request"),
    output: Some("application-response"),
};

pub(super) const DELETE_APPLICATION: Method = Method {
    call: Call::DeleteApplication,
    service: Service::Falconer,
    name: "deleteApplication",
    verb: Verb::Delete,
    route: "/applications/<applicationId>",
    params: &[PathParam { name: "applicationId", pattern: Some(APPLICATION_ID) }],
    query: &[],
    scopes: Some(r#"{"if": "notOwned", "then": "auth:delete-application:<applicationId>"}"#),
    deferred: true,
    stability: Stability::Stable,
    category: "Applications",
    title: "Delete an application",
    description: "Deletes an application. From then on it gets nothing more; what it was given lasts as long as its grants. A client of its owner needs `auth:delete-own-application:<applicationId>` only. Deleting what is not there is fine.",
    input: None,
    output: None,
};

pub(super) const DERIVE_GRANT: Method = Method {
    call: Call::DeriveGrant,
    service: Service::Falconer,
    name: "deriveGrant",
    verb: Verb::Post,
    route: "/derived-grants",
    params: &[],
    query: &[],
    scopes: Some(r#""auth:current-scopes""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Grants",
    title: "Derive a grant",
    description: "Takes a part of the grant whose own credentials sign the call, for one task: some of its scopes, until its end at the latest. The derived grant never gives more than the grant, also when that gives less later, and ends with it. It is listed below the grant for the person, who can revoke it alone. At most 100 that have not ended are below the grant that a person gave, and at most three are derived one from the other. Whoever has an access token in place of credentials exchanges it at `/login/oauth/token`.",
    input: Some("derive-grant-request"),
    output: Some("derive-grant-response"),
};
