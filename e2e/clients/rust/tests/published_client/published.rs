//! The reference and the schemas that a running server publishes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;

use anyhow::{Context, Result, ensure};
use jsonschema::{Draft, Retrieve, Uri};
use serde_json::{Value, json};

/// Everything is fetched at the start, so that validation needs no network of its own.
pub struct Published {
    root_url: String,
    /// The entries of the reference by name.
    pub entries: BTreeMap<String, Value>,
    schemas: HashMap<String, Value>,
    /// The schemas that something was held against.
    pub used: BTreeSet<String>,
}

#[derive(Clone)]
struct Fetched(HashMap<String, Value>);

impl Retrieve for Fetched {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        self.0.get(uri.path().as_str()).cloned().ok_or_else(|| format!("{uri} is not published").into())
    }
}

async fn fetch(root_url: &str, path: &str) -> Result<Value> {
    let response = reqwest::get(format!("{root_url}{path}")).await?;
    ensure!(response.status().is_success(), "{path} is not published: {}", response.status());
    serde_json::from_str(&response.text().await?).with_context(|| format!("{path} is no JSON"))
}

/// The paths of the schemas that this one names, with the dialect.
fn named(schema: &Value, folder: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match value.as_str() {
                    Some(name) if key == "$ref" || key == "$schema" => {
                        let name = name.split('#').next().unwrap_or_default();
                        if name.starts_with('/') {
                            found.push(name.to_owned());
                        } else if !name.is_empty() && !name.contains("://") {
                            found.push(format!("{folder}/{name}"));
                        }
                    }
                    _ => named(value, folder, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, folder, found)),
        _ => {}
    }
}

impl Published {
    pub async fn fetch(root_url: &str) -> Result<Published> {
        let reference = fetch(root_url, "/references/auth/v1/api.json").await?;
        let entries = reference["entries"].as_array().context("no entries")?;
        let entries: BTreeMap<String, Value> =
            entries.iter().filter_map(|entry| Some((entry["name"].as_str()?.to_owned(), entry.clone()))).collect();
        let mut wanted: Vec<String> =
            entries.values().flat_map(|entry| ["input", "output"].map(|side| path(entry, side))).flatten().collect();
        let mut schemas = HashMap::new();
        while let Some(path) = wanted.pop() {
            if schemas.contains_key(&path) {
                continue;
            }
            let mut schema = fetch(root_url, &path).await?;
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            named(&schema, folder, &mut wanted);
            // The dialect is published too (it is fetched like the rest), but the validator takes only those that it has built in.
            schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
            schemas.insert(path, schema);
        }
        Ok(Published { root_url: root_url.to_owned(), entries, schemas, used: BTreeSet::new() })
    }

    /// Whether there is a schema for what goes in or out of a method; where there is one, `value` must fit it.
    pub fn check(&mut self, method: &str, side: &str, value: &Value) -> Result<bool> {
        let Some(path) = self.entries.get(method).and_then(|entry| path(entry, side)) else { return Ok(false) };
        let validator = jsonschema::options()
            .with_draft(Draft::Draft7)
            .should_validate_formats(true)
            .with_base_uri(self.root_url.as_str())
            .with_retriever(Fetched(self.schemas.clone()))
            .build(&json!({"$ref": path}))
            .map_err(|error| anyhow::anyhow!("{path} is no schema: {error}"))?;
        let faults: Vec<String> = validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        ensure!(faults.is_empty(), "the {side} of {method} does not fit {path}: {faults:?}\n{value:#}");
        self.used.insert(path);
        Ok(true)
    }
}

fn path(entry: &Value, side: &str) -> Option<String> {
    let name = entry[side].as_str().filter(|name| *name != "blob")?;
    Some(format!("/schemas/auth/{}", name.trim_end_matches('#')))
}
