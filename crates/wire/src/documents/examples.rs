//! Examples for descriptions: a body for each method that takes one, a value for each parameter. Tests hold them against schemas and patterns.

use serde_json::{Value, json};

use crate::table::{Call, Method};

/// A body that the method takes.
pub fn body(method: &Method) -> Option<Value> {
    match method.call {
        Call::CreateClient | Call::UpdateClient => Some(json!({
            "expires": "2040-01-01T00:00:00.000Z",
            "description": "Uploads the nightly build",
            "scopes": ["notes:read:*"],
            "deleteOnExpiration": false,
        })),
        Call::CreateRole | Call::UpdateRole => {
            Some(json!({ "description": "Everybody who writes notes", "scopes": ["notes:read:*", "notes:write:*"] }))
        }
        Call::ExpandScopes => Some(json!({ "scopes": ["assume:writers", "notes:read:*"] })),
        Call::AuthenticateHawk => {
            Some(json!({ "method": "get", "resource": "/notes/1", "host": "notes.example.com", "port": 443, "sourceIp": "192.0.2.1" }))
        }
        Call::Check => Some(check()),
        Call::Checks => Some(json!({ "checks": [check()] })),
        Call::TestAuthenticate => Some(json!({ "clientScopes": ["test:*"], "requiredScopes": ["test:one"] })),
        Call::GithubRepoToken => Some(json!({ "permissions": { "contents": "read" }, "repositories": ["notes"] })),
        Call::PutClient => Some(json!({
            "accessToken": "the-token-that-it-has-had-for-a-long-time-44",
            "expires": "2040-01-01T00:00:00.000Z",
            "description": "Uploads the nightly build",
            "scopes": ["notes:read:*"],
        })),
        Call::ImportBatch => Some(json!({
            "roles": [{ "roleId": "writers", "scopes": ["notes:read:*", "notes:write:*"], "description": "Everybody who writes notes" }],
            "clients": [{
                "clientId": "project/notes/uploader",
                "scopes": ["assume:writers"],
                "expires": "2040-01-01T00:00:00.000Z",
                "description": "Uploads the nightly build",
            }],
        })),
        Call::InvitePerson => Some(json!({
            "displayName": "Ann Example",
            "email": "ann@example.com",
            "groups": ["writers"],
            "scopes": ["notes:read:*"],
        })),
        Call::UpdatePerson => Some(json!({ "groups": ["writers", "reviewers"] })),
        Call::LinkPerson => Some(json!({ "with": "company/1001" })),
        Call::MapPerson => Some(json!({ "claims": { "sub": "4711", "name": "Ann Example", "groups": ["writers"] } })),
        Call::PutApplication => Some(json!({
            "name": "Dashboard",
            "description": "Shows notes on the wall",
            "owner": "local/ann",
            "redirectUris": ["https://dashboard.example.com/callback"],
            "scopes": ["notes:read:*"],
            "maxLifeSeconds": 604_800,
            "kind": "confidential",
            "rememberConsentSeconds": 2_592_000,
            "dpopBoundAccessTokens": false,
        })),
        Call::RevokeCertificates => Some(json!({ "before": "2026-01-01T00:00:00.000Z" })),
        Call::DeriveGrant => Some(json!({ "scopes": ["notes:read:red"], "purpose": "Sum up the book red" })),
        Call::CreateInitialToken => Some(json!({
            "description": "For agents of the team",
            "scopes": ["notes:read:*"],
            "maxLifeSeconds": 86_400,
            "uses": 20,
            "lifeSeconds": 2_592_000,
        })),
        Call::PutScopeRegistry => Some(json!({
            "scopes": [
                { "template": "notes:read:<book>", "sentence": "Read what is in the book <book>" },
                { "template": "notes:destroy:<book>", "sentence": "Destroy the book <book>, for ever", "risk": "high" },
            ],
        })),
        Call::ResetAccessTokenWithOverlap => Some(json!({ "overlapSeconds": 3600 })),
        Call::RequestGrant => Some(json!({ "scopes": ["notes:write:red"], "reason": "Add the minutes of today to the book red" })),
        Call::CollectGrant => Some(json!({ "code": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI" })),
        Call::ResetApplicationSecret => Some(json!({ "overlapSeconds": 3600 })),
        _ => None,
    }
}

fn check() -> Value {
    json!({
        "request": { "method": "get", "resource": "/notes/1", "host": "notes.example.com", "port": 443 },
        "required": { "AnyOf": ["notes:read:1", "notes:admin"] },
        "reveal": ["notes:read:"],
    })
}

/// A value that the parameter takes.
pub fn parameter(method: &Method, name: &str) -> Option<&'static str> {
    Some(match (name, method.call) {
        ("clientId", _) => "project/notes/uploader",
        ("prefix", Call::ListClients) => "project/notes/",
        ("prefix", _) => "nightly/",
        ("roleId", _) => "writers",
        ("entityType", _) => "client",
        ("entityId", _) => "project/notes/uploader",
        ("limit", _) => "100",
        ("level", _) => "read-only",
        ("bucket", _) => "notes-builds",
        ("format", _) => "iam-role-compat",
        ("account", _) => "notes",
        ("table", _) => "Builds",
        ("container", _) => "builds",
        ("project" | "namespace", _) => "notes",
        ("wstAudience", _) => "tunnels",
        ("wstClient", _) => "builder-1",
        ("projectId", _) => "notes-1234",
        ("serviceAccount", _) => "builder@notes-1234.iam.gserviceaccount.com",
        ("appName", _) => "notes",
        ("owner", _) => "example",
        ("identity", _) => "local/ann",
        ("grantId", _) => "AbCdEfGhIjKlMnOpQrStUv",
        ("applicationId", _) => "dashboard",
        ("initialTokenId", _) => "agents",
        ("resource", _) => "https://notes.example.com/api",
        ("refusalId", _) => "AbCdEfGhIjKlMnOpQrStUv",
        ("provider", _) => "company",
        ("q", _) => "ann",
        ("group", _) => "writers",
        ("disabled" | "mail", _) => "false",
        ("since" | "Last-Event-ID", _) => "17.2",
        // A continuation token comes out of an answer.
        _ => return None,
    })
}
