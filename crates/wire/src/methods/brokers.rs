//! Short-lived credentials for other systems.

use crate::pattern::{ACCOUNT, APP_NAME, BUCKET, CONTAINER, FORMAT, LEVEL, OWNER, PROJECT, TABLE, WST_AUDIENCE, WST_CLIENT};
use crate::table::{Call, Method, PathParam, QueryParam, Service, Stability, Verb};

pub(super) const AWS_S3_CREDENTIALS: Method = Method {
    call: Call::AwsS3Credentials,
    service: Service::Auth,
    name: "awsS3Credentials",
    verb: Verb::Get,
    route: "/aws/s3/<level>/<bucket>/<prefix>",
    params: &[
        PathParam { name: "level", pattern: Some(LEVEL) },
        PathParam { name: "bucket", pattern: Some(BUCKET) },
        PathParam { name: "prefix", pattern: None },
    ],
    query: &[QueryParam { name: "format", pattern: Some(FORMAT) }],
    scopes: Some(
        r#"{"if": "levelIsReadOnly", "then": {"AnyOf": ["auth:aws-s3:read-only:<bucket>/<prefix>", "auth:aws-s3:read-write:<bucket>/<prefix>"]}, "else": "auth:aws-s3:read-write:<bucket>/<prefix>"}"#,
    ),
    deferred: true,
    stability: Stability::Stable,
    category: "Credentials for other systems",
    title: "S3 credentials",
    description: "Credentials of an hour for the objects of a bucket below a prefix.",
    input: None,
    output: Some("aws-s3-credentials-response"),
};

pub(super) const AZURE_ACCOUNTS: Method = Method {
    call: Call::AzureAccounts,
    service: Service::Auth,
    name: "azureAccounts",
    verb: Verb::Get,
    route: "/azure/accounts",
    params: &[],
    query: &[],
    scopes: Some(r#""auth:azure-table:list-accounts""#),
    deferred: false,
    stability: Stability::Deprecated,
    category: "Credentials for other systems",
    title: "Azure accounts",
    description: "The storage accounts that are configured here.",
    input: None,
    output: Some("azure-account-list-response"),
};

pub(super) const AZURE_TABLES: Method = Method {
    call: Call::AzureTables,
    service: Service::Auth,
    name: "azureTables",
    verb: Verb::Get,
    route: "/azure/<account>/tables",
    params: &[PathParam { name: "account", pattern: Some(ACCOUNT) }],
    query: &[QueryParam { name: "continuationToken", pattern: None }],
    scopes: Some(r#""auth:azure-table:list-tables:<account>""#),
    deferred: false,
    stability: Stability::Deprecated,
    category: "Credentials for other systems",
    title: "Azure tables",
    description: "The tables of a storage account.",
    input: None,
    output: Some("azure-table-list-response"),
};

pub(super) const AZURE_TABLE_SAS: Method = Method {
    call: Call::AzureTableSas,
    service: Service::Auth,
    name: "azureTableSAS",
    verb: Verb::Get,
    route: "/azure/<account>/table/<table>/<level>",
    params: &[
        PathParam { name: "account", pattern: Some(ACCOUNT) },
        PathParam { name: "table", pattern: Some(TABLE) },
        PathParam { name: "level", pattern: Some(LEVEL) },
    ],
    query: &[],
    scopes: Some(
        r#"{"if": "levelIsReadOnly", "then": {"AnyOf": ["auth:azure-table:read-only:<account>/<table>", "auth:azure-table:read-write:<account>/<table>"]}, "else": "auth:azure-table:read-write:<account>/<table>"}"#,
    ),
    deferred: true,
    stability: Stability::Deprecated,
    category: "Credentials for other systems",
    title: "Signature for an Azure table",
    description: "A shared access signature for one table.",
    input: None,
    output: Some("azure-table-access-response"),
};

pub(super) const AZURE_CONTAINERS: Method = Method {
    call: Call::AzureContainers,
    service: Service::Auth,
    name: "azureContainers",
    verb: Verb::Get,
    route: "/azure/<account>/containers",
    params: &[PathParam { name: "account", pattern: Some(ACCOUNT) }],
    query: &[QueryParam { name: "continuationToken", pattern: None }],
    scopes: Some(r#""auth:azure-container:list-containers:<account>""#),
    deferred: false,
    stability: Stability::Deprecated,
    category: "Credentials for other systems",
    title: "Azure containers",
    description: "The containers of a storage account.",
    input: None,
    output: Some("azure-container-list-response"),
};

pub(super) const AZURE_CONTAINER_SAS: Method = Method {
    call: Call::AzureContainerSas,
    service: Service::Auth,
    name: "azureContainerSAS",
    verb: Verb::Get,
    route: "/azure/<account>/containers/<container>/<level>",
    params: &[
        PathParam { name: "account", pattern: Some(ACCOUNT) },
        PathParam { name: "container", pattern: Some(CONTAINER) },
        PathParam { name: "level", pattern: Some(LEVEL) },
    ],
    query: &[],
    scopes: Some(
        r#"{"if": "levelIsReadOnly", "then": {"AnyOf": ["auth:azure-container:read-only:<account>/<container>", "auth:azure-container:read-write:<account>/<container>"]}, "else": "auth:azure-container:read-write:<account>/<container>"}"#,
    ),
    deferred: true,
    stability: Stability::Deprecated,
    category: "Credentials for other systems",
    title: "Signature for an Azure container",
    description: "A shared access signature for one container.",
    input: None,
    output: Some("azure-container-response"),
};

pub(super) const SENTRY_DSN: Method = Method {
    call: Call::SentryDsn,
    service: Service::Auth,
    name: "sentryDSN",
    verb: Verb::Get,
    route: "/sentry/<project>/dsn",
    params: &[PathParam { name: "project", pattern: Some(PROJECT) }],
    query: &[],
    scopes: Some(r#""auth:sentry:<project>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Credentials for other systems",
    title: "Sentry DSN",
    description: "Where and how to report errors of a project.",
    input: None,
    output: Some("sentry-dsn-response"),
};

pub(super) const WEBSOCKTUNNEL_TOKEN: Method = Method {
    call: Call::WebsocktunnelToken,
    service: Service::Auth,
    name: "websocktunnelToken",
    verb: Verb::Get,
    route: "/websocktunnel/<wstAudience>/<wstClient>",
    params: &[PathParam { name: "wstAudience", pattern: Some(WST_AUDIENCE) }, PathParam { name: "wstClient", pattern: Some(WST_CLIENT) }],
    query: &[],
    scopes: Some(r#""auth:websocktunnel-token:<wstAudience>/<wstClient>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Credentials for other systems",
    title: "Token for a websocktunnel",
    description: "A signed token with which a worker may open a tunnel under its name for four days, or until the credentials end that it was asked for with.",
    input: None,
    output: Some("websocktunnel-token-response"),
};

pub(super) const GCP_CREDENTIALS: Method = Method {
    call: Call::GcpCredentials,
    service: Service::Auth,
    name: "gcpCredentials",
    verb: Verb::Get,
    route: "/gcp/credentials/<projectId>/<serviceAccount>",
    params: &[PathParam { name: "projectId", pattern: None }, PathParam { name: "serviceAccount", pattern: None }],
    query: &[],
    scopes: Some(r#""auth:gcp:access-token:<projectId>/<serviceAccount>""#),
    deferred: false,
    stability: Stability::Stable,
    category: "Credentials for other systems",
    title: "Google Cloud token",
    description: "An access token of a service account.",
    input: None,
    output: Some("gcp-credentials-response"),
};

pub(super) const GITHUB_REPO_TOKEN: Method = Method {
    call: Call::GithubRepoToken,
    service: Service::Auth,
    name: "githubRepoToken",
    verb: Verb::Post,
    route: "/github/<appName>/<owner>/repo-token",
    params: &[PathParam { name: "appName", pattern: Some(APP_NAME) }, PathParam { name: "owner", pattern: Some(OWNER) }],
    query: &[],
    scopes: Some(r#"{"AllOf": [{"for": "repoPerm", "in": "repoPerms", "each": "auth:github-repo-token:<appName>/<owner>/<repoPerm>"}]}"#),
    deferred: true,
    stability: Stability::Experimental,
    category: "Credentials for other systems",
    title: "GitHub token",
    description: "A token of a GitHub application for some repositories of an owner with some permissions.",
    input: Some("github-repo-token-request"),
    output: Some("github-token-response"),
};
