//! The methods that need scopes: how each is called, and what it takes.

use serde_json::json;

use super::{Call, api};

/// A method, how it is called, what that takes, and what somebody who has it is answered.
pub struct Row {
    pub method: &'static str,
    pub call: Call,
    pub scopes: &'static [&'static str],
    pub status: u16,
}

pub fn rows() -> Vec<Row> {
    let row = |method, call, scopes, status| Row { method, call, scopes, status };
    let client_body = json!({ "expires": "2030-01-01T00:00:00Z", "description": "d", "scopes": ["x:1"] });
    let role_body = json!({ "description": "d", "scopes": ["x:1"] });
    vec![
        row("listClients", api("GET", "/clients/"), &["auth:list-clients"], 200),
        row("client", api("GET", "/clients/there"), &["auth:get-client:there"], 200),
        row("createClient", api("PUT", "/clients/new").json(client_body.clone()), &["auth:create-client:new", "x:1"], 200),
        row("updateClient", api("POST", "/clients/there").json(client_body), &["auth:update-client:there", "x:1"], 200),
        row("resetAccessToken", api("POST", "/clients/there/reset"), &["auth:reset-access-token:there"], 200),
        row("enableClient", api("POST", "/clients/there/enable"), &["auth:enable-client:there"], 200),
        row("disableClient", api("POST", "/clients/there/disable"), &["auth:disable-client:there"], 200),
        row("deleteClient", api("DELETE", "/clients/gone"), &["auth:delete-client:gone"], 204),
        row("getEntityHistory", api("GET", "/audit/client/there"), &["auth:audit-history:client"], 200),
        row("listAuditHistory", api("GET", "/clients/there/audit"), &["auth:client-audit-history:there"], 200),
        row("listRoles", api("GET", "/roles/"), &["auth:list-roles"], 200),
        row("listRoles2", api("GET", "/roles2/"), &["auth:list-roles"], 200),
        row("listRoleIds", api("GET", "/roleids/"), &["auth:list-roles"], 200),
        row("role", api("GET", "/roles/there"), &["auth:get-role:there"], 200),
        row("createRole", api("PUT", "/roles/new").json(role_body.clone()), &["auth:create-role:new", "x:1"], 200),
        row("updateRole", api("POST", "/roles/there").json(role_body), &["auth:update-role:there", "x:1"], 200),
        row("deleteRole", api("DELETE", "/roles/gone"), &["auth:delete-role:gone"], 204),
        row("expandScopes", api("POST", "/scopes/expand").json(json!({ "scopes": ["a"] })), &["auth:expand-scopes"], 200),
        row("currentScopes", api("GET", "/scopes/current"), &["auth:current-scopes"], 200),
        row("awsS3Credentials", api("GET", "/aws/s3/read-only/bkt/p/q"), &["auth:aws-s3:read-only:bkt/p/q"], 404),
        row("azureAccounts", api("GET", "/azure/accounts"), &["auth:azure-table:list-accounts"], 200),
        row("azureTables", api("GET", "/azure/acct/tables"), &["auth:azure-table:list-tables:acct"], 404),
        row("azureTableSAS", api("GET", "/azure/acct/table/Tab/read-only"), &["auth:azure-table:read-only:acct/Tab"], 404),
        row("azureContainers", api("GET", "/azure/acct/containers"), &["auth:azure-container:list-containers:acct"], 404),
        row("azureContainerSAS", api("GET", "/azure/acct/containers/cont/read-write"), &["auth:azure-container:read-write:acct/cont"], 404),
        row("sentryDSN", api("GET", "/sentry/proj/dsn"), &["auth:sentry:proj"], 404),
        row("websocktunnelToken", api("GET", "/websocktunnel/aud/c"), &["auth:websocktunnel-token:aud/c"], 404),
        row("gcpCredentials", api("GET", "/gcp/credentials/p/sa"), &["auth:gcp:access-token:p/sa"], 404),
        row(
            "githubRepoToken",
            api("POST", "/github/app/Own/repo-token").json(json!({ "permissions": { "contents": "read" }, "repositories": ["Rep"] })),
            &["auth:github-repo-token:app/own/rep:contents:read"],
            404,
        ),
    ]
}
