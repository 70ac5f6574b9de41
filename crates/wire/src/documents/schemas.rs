//! The JSON schemas of requests and answers, embedded. Ids and references are relative: `/schemas/auth/v1/<name>.json#`.
//!
//! They are data: `web` compiles those of request bodies at start and publishes all of them.

use crate::table::{Method, Service};

/// One schema file.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Whose it is.
    pub service: Service,
    /// Name of the file without its end, such as `scopeset`.
    pub name: &'static str,
    /// The JSON text.
    pub json: &'static str,
}

/// The schema of a service with this name.
pub fn get(service: Service, name: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().find(|s| s.service == service && s.name == name)
}

impl Method {
    /// Schema of the request body.
    pub fn input_schema(&self) -> Option<&'static Schema> {
        get(self.service, self.input?)
    }

    /// Schema of the answer.
    pub fn output_schema(&self) -> Option<&'static Schema> {
        get(self.service, self.output?)
    }
}

macro_rules! schemas {
    ($($service:ident $directory:literal: [$($name:literal),* $(,)?])*) => {
        /// Every schema, by service and in alphabetical order.
        pub const SCHEMAS: &[Schema] = &[$($(Schema {
            service: Service::$service,
            name: $name,
            json: include_str!(concat!("../../schemas/", $directory, "/v1/", $name, ".json")),
        },)*)*];
    };
}

schemas! {
    Auth "auth": [
        "authenticate-hawk-request",
        "authenticate-hawk-response",
        "aws-s3-credentials-response",
        "azure-account-list-response",
        "azure-container-list-response",
        "azure-container-response",
        "azure-table-access-response",
        "azure-table-list-response",
        "client-message",
        "create-client-request",
        "create-client-response",
        "create-role-request",
        "gcp-credentials-response",
        "get-client-response",
        "get-entity-history-response",
        "get-role-response",
        "github-repo-token-request",
        "github-token-response",
        "list-clients-response",
        "list-role-ids-response",
        "list-roles-response",
        "list-roles2-response",
        "role-message",
        "scopeset",
        "sentry-dsn-response",
        "test-authenticate-request",
        "test-authenticate-response",
        "websocktunnel-token-response",
    ]
    Falconer "falconer": [
        "application-response",
        "check-request",
        "check-response",
        "checks-request",
        "checks-response",
        "client-record-response",
        "collect-grant-request",
        "collect-grant-response",
        "create-initial-token-request",
        "derive-grant-request",
        "derive-grant-response",
        "ended-tokens-response",
        "explain-response",
        "get-person-response",
        "import-batch-request",
        "import-batch-response",
        "initial-token-response",
        "invite-person-request",
        "link-person-request",
        "list-applications-response",
        "list-client-records-response",
        "list-initial-tokens-response",
        "list-people-response",
        "list-scope-registries-response",
        "map-person-request",
        "map-person-response",
        "person-history-response",
        "person-link-response",
        "put-application-request",
        "put-client-request",
        "put-client-response",
        "put-scope-registry-request",
        "refresh-person-response",
        "request-grant-request",
        "request-grant-response",
        "reset-access-token-request",
        "reset-access-token-response",
        "reset-application-secret-request",
        "revision-response",
        "revoke-certificates-request",
        "scope-registry-response",
        "update-person-request",
    ]
}

/// The schemas of what is published besides schemas of requests and answers, by name: `/schemas/common/<name>.json#`.
pub const COMMON: &[(&str, &str)] = &[
    ("api-reference-v0", include_str!("../../schemas/common/api-reference-v0.json")),
    ("manifest-v3", include_str!("../../schemas/common/manifest-v3.json")),
    ("metadata-metaschema", include_str!("../../schemas/common/metadata-metaschema.json")),
    ("metaschema", include_str!("../../schemas/common/metaschema.json")),
];
