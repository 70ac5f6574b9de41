//! Both APIs as an OpenAPI 3.1 document, made of the same table as routes, checks and references.
//!
//! What OpenAPI can't say is in words: that no query parameter may be repeated, that a parameter at the end of a route may hold raw slashes, and what
//! `Falconer-At-Least` does.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::documents::examples;
use crate::documents::schemas::{SCHEMAS, Schema};
use crate::error::Code;
use crate::pattern::{POSITION, Pattern};
use crate::table::{Call, Method, Segment, Service};

/// The document for a deployment at `root`.
pub fn document(root: &str, version: &str) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for method in Method::all() {
        paths.entry(path(method)).or_default().insert(method.verb.as_str().to_ascii_lowercase(), operation(method));
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Falconer", "version": version, "description": DESCRIPTION, "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" } },
        "servers": [{ "url": root.trim_end_matches('/'), "description": "This deployment" }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": components(),
            "parameters": {
                "trace": {
                    "name": "x-taskcluster-trace-id", "in": "header", "required": false, "schema": { "type": "string" },
                    "description": "An id that the answer repeats as `x-for-trace-id`, and that services pass on, so that what belongs together is found in logs.",
                },
            },
            "securitySchemes": {
                "hawk": { "type": "http", "scheme": "hawk", "description": "Each request is signed with the client's access token, or with temporary credentials and their certificate in `ext`." },
                "bewit": { "type": "apiKey", "in": "query", "name": "bewit", "description": "A signed URL for GET and HEAD, good until it expires. It replaces the Authorization header." },
            },
        },
    })
}

const DESCRIPTION: &str = "Clients, roles and scopes of this deployment, and verification of signed requests for other services.\n\n\
    Requests are signed with Hawk; a call without credentials has the scopes of the role `anonymous`. `x-taskcluster-scopes` says what a method needs, \
    with parameters in `<>`; without the scopes the answer is 403, also when there are no credentials at all.\n\n\
    Parameters are one path segment each, percent-encoded; no query parameter may be repeated, and unknown ones are refused. Bodies are JSON of at most \
    10 MiB; unknown properties are refused.\n\n\
    A change answers with the header `Falconer-Revision`. Any call may carry `Falconer-At-Least: <revision>`: for a caller whose credentials \
    hold the node then waits up to a second until it has seen that change; else it answers 503, and 409 for a revision from before a backup was restored.";

/// The path of a method as OpenAPI writes it.
fn path(method: &Method) -> String {
    let route = method.route.replace('<', "{").replace('>', "}");
    format!("{}{route}", method.service.prefix())
}

fn tags() -> Value {
    let mut tags: Vec<(Service, &str)> = Vec::new();
    for method in Method::all() {
        if !tags.iter().any(|(_, category)| *category == method.category) {
            tags.push((method.service, method.category));
        }
    }
    tags.into_iter().map(|(service, category)| json!({ "name": category, "description": service.title() })).collect()
}

fn operation(method: &Method) -> Value {
    let mut operation = Map::new();
    let mut put = |key: &str, value: Value| operation.insert(key.to_owned(), value);
    put("operationId", method.name.into());
    put("tags", json!([method.category]));
    put("summary", method.title.into());
    put("description", method.description.into());
    if method.stability == crate::Stability::Deprecated {
        put("deprecated", true.into());
    }
    put("x-taskcluster-stability", method.stability.as_str().into());
    put("parameters", parameters(method).into());
    if let Some(schema) = method.input_schema() {
        let mut content = json!({ "schema": reference(schema) });
        if let (Some(example), Some(map)) = (examples::body(method), content.as_object_mut()) {
            map.insert("examples".to_owned(), json!({ "one": { "value": example } }));
        }
        put("requestBody", json!({ "required": true, "content": { "application/json": content } }));
    }
    put("responses", responses(method));
    put("security", security(method));
    if let Some(template) = method.template() {
        put("x-taskcluster-scopes", template);
    }
    operation.into()
}

fn parameters(method: &Method) -> Vec<Value> {
    let rest = method.segments().find_map(|segment| match segment {
        Segment::Rest(name) => Some(name),
        _ => None,
    });
    let in_path = method.params.iter().map(|p| {
        let mut parameter = parameter(p.name, "path", p.pattern, method);
        if let (true, Some(map)) = (rest == Some(p.name), parameter.as_object_mut()) {
            map.insert("description".to_owned(), "The rest of the path: raw slashes are part of it, and it may be empty.".into());
        }
        parameter
    });
    let in_query = method.query.iter().map(|q| parameter(q.name, "query", q.pattern, method));
    // Browsers send it by themselves when they come again.
    let in_header = (method.call == Call::Events).then(|| parameter("Last-Event-ID", "header", Some(POSITION), method));
    in_path.chain(in_query).chain(in_header).chain([json!({ "$ref": "#/components/parameters/trace" })]).collect()
}

fn parameter(name: &str, place: &str, pattern: Option<Pattern>, method: &Method) -> Value {
    let mut schema = json!({ "type": "string" });
    if let Some(map) = schema.as_object_mut() {
        match pattern {
            Some(pattern) => map.insert("pattern".to_owned(), pattern.source.into()),
            // A path segment is never empty.
            None if place == "path" => map.insert("minLength".to_owned(), 1.into()),
            None => None,
        };
    }
    let mut parameter = json!({ "name": name, "in": place, "required": place == "path", "schema": schema });
    if let (Some(example), Some(map)) = (examples::parameter(method, name), parameter.as_object_mut()) {
        map.insert("example".to_owned(), example.into());
    }
    parameter
}

fn security(method: &Method) -> Value {
    let signed_url = method.verb == crate::Verb::Get;
    match (method.scopes.is_some(), method.call) {
        (true, _) if signed_url => json!([{ "hawk": [] }, { "bewit": [] }]),
        (true, _) => json!([{ "hawk": [] }]),
        (false, Call::TestAuthenticate | Call::AuthenticateHawk) => json!([{ "hawk": [] }, {}]),
        (false, Call::TestAuthenticateGet) => json!([{ "hawk": [] }, { "bewit": [] }, {}]),
        _ => json!([]),
    }
}

fn responses(method: &Method) -> Value {
    let mut responses = Map::new();
    responses.insert(method.success().to_string(), success(method));
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in method.codes() {
        by_status.entry(code.status()).or_default().push(code);
    }
    let has_params = !method.params.is_empty();
    if has_params {
        by_status.entry(404).or_default();
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), failure(status, &codes, has_params));
    }
    responses.into()
}

fn success(method: &Method) -> Value {
    let mut response = Map::new();
    response.insert("description".to_owned(), if method.success() == 204 { "Done." } else { "The answer." }.into());
    if let Some((kind, schema)) = answer(method) {
        response.insert("content".to_owned(), json!({ kind: { "schema": schema } }));
    }
    if method.changes() {
        let header = json!({ "description": "The revision of this change.", "schema": { "type": "integer", "minimum": 0 } });
        response.insert("headers".to_owned(), json!({ "Falconer-Revision": header }));
    }
    let links = links(method);
    if !links.is_empty() {
        response.insert("links".to_owned(), links.into());
    }
    response.into()
}

/// Type and schema of the answer. The table names no schema for what monitoring asks and for a stream; they are said here.
fn answer(method: &Method) -> Option<(&'static str, Value)> {
    if method.call == Call::Events {
        return Some(("text/event-stream", json!({ "type": "string", "description": "Server-sent events, without an end." })));
    }
    let text = json!({ "type": "string" });
    let schema = match method.call {
        Call::Ping => Some(json!({
            "type": "object", "additionalProperties": false, "required": ["alive", "uptime"],
            "properties": { "alive": { "const": true }, "uptime": { "type": "number", "minimum": 0 } },
        })),
        Call::Version => Some(json!({
            "type": "object", "additionalProperties": false, "required": ["version", "commit", "source", "build"],
            "properties": { "version": text, "commit": text, "source": text, "build": text },
        })),
        Call::Lbheartbeat | Call::Heartbeat => Some(json!({ "type": "object", "additionalProperties": false })),
        _ => method.output_schema().map(reference),
    };
    Some(("application/json", schema?))
}

fn failure(status: u16, codes: &[Code], has_params: bool) -> Value {
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let error = json!({ "allOf": [{ "$ref": "#/components/schemas/error" }, { "properties": { "code": { "enum": words } } }] });
    let unknown_path = json!({ "$ref": "#/components/schemas/unknown-path" });
    let mut description: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let schema = match (status == 404 && has_params, words.is_empty()) {
        (true, true) => unknown_path,
        (true, false) => json!({ "anyOf": [error, unknown_path] }),
        _ => error,
    };
    if status == 404 && has_params {
        description.push("no such path, because a parameter is empty or holds a raw slash".to_owned());
    }
    let mut content = json!({ "application/json": { "schema": schema } });
    if let (true, Some(map)) = (status == 400 && has_params, content.as_object_mut()) {
        description.push("a page where a percent escape in a parameter is none".to_owned());
        map.insert("text/html".to_owned(), json!({ "schema": { "type": "string" } }));
    }
    let mut response = json!({ "description": description.join(", "), "content": content });
    let header = match status {
        401 => Some(("WWW-Authenticate", json!({ "schema": { "const": "hawk" } }))),
        429 | 503 => Some(("Retry-After", json!({ "description": "Seconds.", "schema": { "type": "integer", "minimum": 0 } }))),
        _ => None,
    };
    if let (Some((name, header)), Some(map)) = (header, response.as_object_mut()) {
        map.insert("headers".to_owned(), json!({ name: header }));
    }
    response
}

/// What can be done next with what the answer is about.
fn links(method: &Method) -> Map<String, Value> {
    let client = json!({ "clientId": "$request.path.clientId" });
    let role = json!({ "roleId": "$request.path.roleId" });
    let history = |kind: &str, id: &str| json!({ "entityType": kind, "entityId": id });
    let links: Vec<(&str, Value)> = match method.call {
        Call::CreateClient => vec![
            ("client", client.clone()),
            ("updateClient", client.clone()),
            ("resetAccessToken", client.clone()),
            ("disableClient", client.clone()),
            ("enableClient", client.clone()),
            ("listAuditHistory", client.clone()),
            ("getEntityHistory", history("client", "$request.path.clientId")),
            ("deleteClient", client),
        ],
        Call::UpdateClient | Call::ResetAccessToken | Call::DisableClient | Call::EnableClient | Call::PutClient => {
            vec![("client", client.clone()), ("deleteClient", client)]
        }
        Call::CreateRole => vec![
            ("role", role.clone()),
            ("updateRole", role.clone()),
            ("getEntityHistory", history("role", "$request.path.roleId")),
            ("deleteRole", role),
        ],
        Call::UpdateRole => vec![("role", role.clone()), ("deleteRole", role)],
        Call::ListClients => vec![("client", json!({ "clientId": "$response.body#/clients/0/clientId" }))],
        Call::ListRoleIds => vec![("role", json!({ "roleId": "$response.body#/roleIds/0" }))],
        _ => Vec::new(),
    };
    links.into_iter().map(|(to, parameters)| (to.to_owned(), json!({ "operationId": to, "parameters": parameters }))).collect()
}

fn name_of(schema: &Schema) -> String {
    format!("{}.{}", schema.service.name(), schema.name)
}

fn reference(schema: &'static Schema) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", name_of(schema)) })
}

fn components() -> Map<String, Value> {
    let mut components = Map::new();
    for schema in SCHEMAS {
        // They are embedded, and a test parses each.
        let Ok(mut json) = serde_json::from_str::<Value>(schema.json) else { continue };
        if let Some(map) = json.as_object_mut() {
            map.remove("$id");
            map.remove("$schema");
        }
        point_at_components(&mut json, schema.service);
        components.insert(name_of(schema), json);
    }
    components.insert("error".to_owned(), error_schema());
    components.insert(
        "unknown-path".to_owned(),
        json!({ "type": "object", "additionalProperties": false, "required": ["error"], "properties": { "error": { "const": "Not found" } } }),
    );
    components
}

/// References between the files of a service become references between components.
fn point_at_components(json: &mut Value, service: Service) {
    match json {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "$ref" && !text.starts_with('#') => {
                        let file = text.trim_end_matches('#').trim_end_matches(".json");
                        *text = format!("#/components/schemas/{}.{file}", service.name());
                    }
                    other => point_at_components(other, service),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_at_components(item, service)),
        _ => {}
    }
}

fn error_schema() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "title": "Error",
        "description": "What went wrong. The part of `message` before the first `---` is for people.",
        "type": "object",
        "required": ["code", "message", "requestInfo"],
        "additionalProperties": false,
        "properties": {
            "code": { "type": "string", "enum": codes },
            "message": { "type": "string" },
            "requestInfo": {
                "type": "object",
                "required": ["method", "params", "time"],
                "additionalProperties": false,
                "properties": {
                    "method": { "type": "string", "description": "Name of the method." },
                    "params": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Decoded path parameters." },
                    "payload": { "description": "The body, where it could be read and is not too large to be repeated." },
                    "time": { "type": "string", "format": "date-time" },
                },
            },
        },
    })
}
