//! Validation of request bodies against the published schemas, each compiled when it is first needed: a start
//! does not wait for schemas that nobody may ever use, and they take no memory.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use falconer_auth::authority;
use falconer_wire::{Method, date_time, schemas};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::Value;

/// More violations than this are not listed one by one.
const MOST_LISTED: usize = 100;

/// The schemas of all request bodies, by the name of the method.
pub(crate) struct Schemas(HashMap<&'static str, OnceLock<Option<Schema>>>);

struct Schema {
    validator: Validator,
    /// Top-level properties that the schema fills in when they are absent.
    defaults: Vec<(String, Value)>,
}

impl Schemas {
    pub(crate) fn new() -> Schemas {
        Schemas(Method::all().filter(|method| method.input.is_some()).map(|method| (method.name, OnceLock::new())).collect())
    }

    /// A method whose schema does not compile answers 500; a test compiles them all.
    fn of(&self, method: &Method) -> Option<&Schema> {
        self.0.get(method.name)?.get_or_init(|| compile(method.input_schema()?)).as_ref()
    }

    /// Fills in defaults and validates. `Err(None)`: there is no such schema. `Err(Some(text))`: the violations, headed as the protocol heads them.
    pub(crate) fn check(&self, method: &Method, root: &str, payload: &mut Value) -> Result<(), Option<String>> {
        let schema = self.of(method).ok_or(None)?;
        if let Value::Object(map) = payload {
            for (key, value) in &schema.defaults {
                if !map.contains_key(key) {
                    map.insert(key.clone(), value.clone());
                }
            }
        }
        if schema.validator.is_valid(payload) {
            return Ok(());
        }
        let url = falconer_wire::urls::schema(root, method.service.name(), &format!("v1/{}.json#", method.input.unwrap_or_default()));
        let mut text = format!("\nSchema Validation Failed!\nRejecting Schema: {url}\nErrors:");
        let mut errors = schema.validator.iter_errors(payload);
        for error in errors.by_ref().take(MOST_LISTED) {
            let _ = write!(text, "\n  * data{} {}", error.instance_path().as_str(), violation(&error));
        }
        let more = errors.count();
        if more > 0 {
            let _ = write!(text, "\n  * and {more} more");
        }
        Err(Some(text))
    }
}

fn compile(schema: &schemas::Schema) -> Option<Schema> {
    let mut json: Value = serde_json::from_str(schema.json).ok()?;
    // The ids are those of the published files; none of the input schemas refers to another.
    let map = json.as_object_mut()?;
    map.remove("$schema");
    map.remove("$id");
    let defaults = map
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.iter().filter_map(|(key, p)| p.get("default").map(|value| (key.clone(), value.clone()))).collect())
        .unwrap_or_default();
    let validator = jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .with_format("date-time", |text: &str| date_time::parse_us(text).is_some())
        .with_format("host", authority::is_host)
        .with_format("ipv4", |text: &str| text.parse::<Ipv4Addr>().is_ok())
        .with_format("ipv6", |text: &str| text.parse::<Ipv6Addr>().is_ok())
        .build(&json)
        .inspect_err(|error| tracing::error!(schema = schema.name, %error, "a request schema does not compile"))
        .ok()?;
    Some(Schema { validator, defaults })
}

/// A name from the body, in quotes. Nobody needs more than its beginning, and a character that is escaped gets many times as long.
fn quoted(name: &str) -> String {
    const LONGEST: usize = 100;
    match name.char_indices().nth(LONGEST) {
        None => format!("{name:?}"),
        Some((end, _)) => format!("{:?}...", name.get(..end).unwrap_or_default()),
    }
}

/// The wording that clients of the reference know, where it has one.
fn violation(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => format!("must be {kind}"),
        ValidationErrorKind::Type { kind: TypeKind::Multiple(kinds) } => {
            let kinds: Vec<String> = kinds.iter().map(|kind| kind.to_string()).collect();
            format!("must be {}", kinds.join(" or "))
        }
        ValidationErrorKind::Required { property } => format!("must have required property '{}'", property.as_str().unwrap_or_default()),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let listed: Vec<String> = unexpected.iter().take(MOST_LISTED).map(|name| quoted(name)).collect();
            format!("must NOT have additional properties: {}", listed.join(", "))
        }
        ValidationErrorKind::UniqueItems => "must NOT have duplicate items".to_owned(),
        ValidationErrorKind::Pattern { pattern } => format!("must match pattern \"{pattern}\""),
        ValidationErrorKind::Format { format } => format!("must match format \"{format}\""),
        ValidationErrorKind::MaxLength { limit } => format!("must NOT have more than {limit} characters"),
        ValidationErrorKind::MinLength { limit } => format!("must NOT have fewer than {limit} characters"),
        ValidationErrorKind::MaxItems { limit } => format!("must NOT have more than {limit} items"),
        ValidationErrorKind::MinItems { limit } => format!("must NOT have fewer than {limit} items"),
        ValidationErrorKind::MinProperties { limit } => format!("must NOT have fewer than {limit} properties"),
        ValidationErrorKind::MaxProperties { limit } => format!("must NOT have more than {limit} properties"),
        ValidationErrorKind::Maximum { limit } => format!("must be <= {limit}"),
        ValidationErrorKind::Minimum { limit } => format!("must be >= {limit}"),
        ValidationErrorKind::Enum { .. } => "must be equal to one of the allowed values".to_owned(),
        ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. } => {
            "must match exactly one schema in oneOf".to_owned()
        }
        // Never the value itself: it may be large, or a secret.
        other => format!("does not fit the schema ({})", other.keyword()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_schema_compiles() {
        let schemas = Schemas::new();
        for method in Method::all().filter(|m| m.input.is_some()) {
            assert!(schemas.of(method).is_some(), "{}", method.name);
        }
    }
}
