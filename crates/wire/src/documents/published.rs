//! What is published below the root URL: the manifest, the references of both APIs and all schemas.
//!
//! Everything is computed from the table and the embedded schemas; the only input is the root URL, which the ids carry.

use serde_json::{Map, Value, json};

use crate::documents::schemas::{COMMON, SCHEMAS};
use crate::table::{Method, Service};
use crate::values::urls;

/// One published file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Path below the root URL, beginning with a slash.
    pub path: String,
    /// What it holds.
    pub json: Value,
}

/// Every published file except the OpenAPI document, with ids below `root`.
pub fn documents(root: &str) -> Vec<Document> {
    let mut files = relative();
    let all = files.iter().map(|file| json!({ "filename": file.path.trim_start_matches('/'), "content": file.json })).collect();
    files.push(Document { path: "/references/manifest.json".to_owned(), json: manifest(root) });
    let root = root.trim_end_matches('/');
    for file in &mut files {
        make_absolute(&mut file.json, root);
    }
    // Its ids stay relative: it is for those who bring a root URL of their own.
    files.push(Document { path: "/references/references.json".to_owned(), json: all });
    files
}

/// References and schemas, with ids that begin at the root.
fn relative() -> Vec<Document> {
    let references = Service::ALL.into_iter().map(|service| Document { path: reference_path(service), json: reference(service) });
    let of_services = SCHEMAS.iter().map(|s| (format!("/schemas/{}/{}/{}.json", s.service.name(), Service::VERSION, s.name), s.json));
    let common = COMMON.iter().map(|(name, text)| (format!("/schemas/common/{name}.json"), *text));
    // They are embedded, and a test parses each.
    let schemas = of_services.chain(common).filter_map(|(path, text)| Some(Document { path, json: serde_json::from_str(text).ok()? }));
    references.chain(schemas).collect()
}

fn reference_path(service: Service) -> String {
    format!("/references/{}/{}/api.json", service.name(), Service::VERSION)
}

fn manifest(root: &str) -> Value {
    let mut references: Vec<String> =
        Service::ALL.into_iter().map(|service| urls::api_reference(root, service.name(), Service::VERSION)).collect();
    references.sort();
    json!({ "$schema": "/schemas/common/manifest-v3.json#", "references": references })
}

/// The reference of one API.
fn reference(service: Service) -> Value {
    json!({
        "$schema": "/schemas/common/api-reference-v0.json#",
        "apiVersion": Service::VERSION,
        "serviceName": service.name(),
        "title": service.title(),
        "description": service.description(),
        "entries": service.methods().iter().map(entry).collect::<Vec<_>>(),
    })
}

fn entry(method: &Method) -> Value {
    let mut entry = Map::new();
    let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    put("type", "function".into());
    put("method", method.verb.as_str().to_ascii_lowercase().into());
    put("route", method.route.into());
    put("query", method.query.iter().map(|q| q.name).collect());
    put("args", method.params.iter().map(|p| p.name).collect());
    put("name", method.name.into());
    put("stability", method.stability.as_str().into());
    put("category", method.category.into());
    put("title", method.title.into());
    put("description", method.description.into());
    let schema = |name: &str| Value::from(format!("{}/{name}.json#", Service::VERSION));
    if let Some(name) = method.input {
        put("input", schema(name));
    }
    if let Some(name) = method.output {
        put("output", schema(name));
    }
    if let Some(template) = method.template() {
        put("scopes", template);
    }
    entry.into()
}

/// Puts the root in front of what begins at the root: the file's own id, its schema, and references to others.
fn make_absolute(json: &mut Value, root: &str) {
    match json {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if matches!(key.as_str(), "$id" | "$schema" | "$ref") && text.starts_with('/') => {
                        text.insert_str(0, root);
                    }
                    other => make_absolute(other, root),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| make_absolute(item, root)),
        _ => {}
    }
}
