//! The JSON schemas of requests and answers, embedded (`auth-api.md` section 10). Ids and references are relative: `/schemas/auth/v1/<name>.json#`.
//!
//! They are data: `web` compiles those of request bodies at start, `xtask` publishes all of them.

/// One schema file.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Name of the file without its end, such as `scopeset`.
    pub name: &'static str,
    /// The JSON text.
    pub json: &'static str,
}

/// The schema with this name.
pub fn get(name: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().find(|s| s.name == name)
}

macro_rules! schemas {
    ($($name:literal),* $(,)?) => {
        /// Every schema, in alphabetical order.
        pub const SCHEMAS: &[Schema] = &[$(Schema { name: $name, json: include_str!(concat!("../schemas/auth/v1/", $name, ".json")) }),*];
    };
}

schemas![
    "authenticate-hawk-request",
    "authenticate-hawk-response",
    "aws-s3-credentials-response",
    "azure-account-list-response",
    "azure-container-list-response",
    "azure-container-response",
    "azure-table-access-response",
    "azure-table-list-response",
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
    "scopeset",
    "sentry-dsn-response",
    "test-authenticate-request",
    "test-authenticate-response",
    "websocktunnel-token-response",
];
