//! How the methods about applications are called, about what they register themselves with, and about what services say of their scopes; and which scopes that takes.

use falconer_wire::Method;
use serde_json::json;

use crate::support::{Call, call};

/// Applications.
pub fn applications(method: &Method) -> Option<(Call, &'static [&'static str])> {
    let here = |verb, route: &str| call(verb, &format!("/api/falconer/v1/applications{route}"));
    let new = json!({ "name": "New", "redirectUris": ["https://new.example.com/"], "scopes": ["x:1"] });
    Some(match method.name {
        "listApplications" => (here("GET", ""), &["auth:list-applications"]),
        "application" => (here("GET", "/there"), &["auth:list-applications"]),
        "putApplication" => (here("PUT", "/new").json(new), &["auth:create-application:new", "x:1"]),
        "resetApplicationSecret" => (here("POST", "/there/reset-secret").json(json!({})), &["auth:update-application:there", "x:there"]),
        "deleteApplication" => (here("DELETE", "/there"), &["auth:delete-application:there"]),
        _ => return initial_tokens(method),
    })
}

/// What applications register themselves with.
fn initial_tokens(method: &Method) -> Option<(Call, &'static [&'static str])> {
    let here = |verb, route: &str| call(verb, &format!("/api/falconer/v1/initial-tokens{route}"));
    Some(match method.name {
        "listInitialTokens" => (here("GET", ""), &["auth:list-initial-tokens"]),
        "createInitialToken" => (here("PUT", "/new").json(json!({ "scopes": ["x:1"] })), &["auth:create-initial-token:new", "x:1"]),
        "endedTokens" => {
            let call = call("GET", "/api/falconer/v1/ended-tokens?resource=https%3A%2F%2Foffline.example%2Fapi");
            (call, &["auth:ended-tokens:https://offline.example/api"])
        }
        "deleteInitialToken" => (here("DELETE", "/there"), &["auth:delete-initial-token:there"]),
        _ => return scope_registries(method),
    })
}

/// What services say of their scopes.
fn scope_registries(method: &Method) -> Option<(Call, &'static [&'static str])> {
    let here = |verb, route: &str| call(verb, &format!("/api/falconer/v1/scope-registries{route}"));
    let body = json!({ "scopes": [{ "template": "new:x", "sentence": "X" }] });
    Some(match method.name {
        "listScopeRegistries" => (here("GET", ""), &["auth:list-scope-registries"]),
        "scopeRegistry" => (here("GET", "/there"), &["auth:list-scope-registries"]),
        "putScopeRegistry" => (here("PUT", "/new").json(body), &["auth:publish-scopes:new"]),
        "deleteScopeRegistry" => (here("DELETE", "/there"), &["auth:publish-scopes:there"]),
        _ => return None,
    })
}
