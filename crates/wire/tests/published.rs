//! What is published holds together: ids, schemas of schemas, every example of a document, the OpenAPI document.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use falconer_wire::{METHODS, Method, Segment, Service, date_time, examples, openapi, published, urls};
use jsonschema::{Draft, Retrieve, Uri, Validator};
use serde_json::{Value, json};

const ROOT: &str = "https://falconer.example.com";

/// What a client could fetch, and nothing else.
struct Site(BTreeMap<String, Value>);

impl Retrieve for Site {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let url = uri.as_str().split('#').next().unwrap();
        self.0.get(url).cloned().ok_or_else(|| format!("{url} is not published").into())
    }
}

fn site() -> BTreeMap<String, Value> {
    published::documents(ROOT).into_iter().map(|document| (format!("{ROOT}{}", document.path), document.json)).collect()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .with_format("date-time", |text: &str| date_time::parse_us(text).is_some())
        .with_retriever(Site(site()))
        .build(schema)
        .unwrap()
}

fn schema_of(service: Service, name: &str) -> Validator {
    validator(&site()[&urls::schema(ROOT, service.name(), &format!("v1/{name}.json"))])
}

fn faults(validator: &Validator, json: &Value) -> Vec<String> {
    validator.iter_errors(json).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Names of temporary credentials with spaces and `<` reached services that trusted the pattern of clientIds: they are refused, and the answer's schema says so.
#[test]
fn the_name_of_a_verified_caller_is_published_as_a_client_id() {
    let schema = schema_of(Service::Auth, "authenticate-hawk-response");
    let answer = |name: &str| json!({"status": "auth-success", "scheme": "hawk", "expires": "2030-01-01T00:00:00.000Z", "scopes": [], "clientId": name});
    for good in ["a", "google/ann@example.com", "a|b!c:d.e+f_g-h"] {
        assert_eq!(faults(&schema, &answer(good)), [""; 0], "{good}");
    }
    for bad in ["", "bad name", "<b>", "a\nb", "\u{e4}"] {
        assert!(!schema.is_valid(&answer(bad)), "{bad:?}");
    }
}

#[test]
fn every_document_is_what_its_schema_says_and_where_its_id_says() {
    let site = site();
    for (url, document) in site.iter().filter(|(url, _)| !url.ends_with("/references.json")) {
        let schema = document["$schema"].as_str().unwrap().trim_end_matches('#');
        if url.contains("/schemas/") {
            assert_eq!(document["$id"], format!("{url}#"));
        }
        if schema != "http://json-schema.org/draft-07/schema" {
            assert_eq!(faults(&validator(&site[schema]), document), [""; 0], "{url}");
        }
    }
    // The schemas of schemas do refuse something.
    let metaschema = validator(&site[&format!("{ROOT}/schemas/common/metaschema.json")]);
    let mut broken = site[&format!("{ROOT}/schemas/auth/v1/scopeset.json")].clone();
    broken["type"] = json!("set");
    assert_ne!(faults(&metaschema, &broken), [""; 0]);
    let reference = validator(&site[&format!("{ROOT}/schemas/common/api-reference-v0.json")]);
    let mut broken = site[&format!("{ROOT}/references/auth/v1/api.json")].clone();
    broken["entries"][3].as_object_mut().unwrap().remove("args");
    assert_ne!(faults(&reference, &broken), [""; 0]);
}

#[test]
fn every_file_of_the_protocol_is_there() {
    let site = site();
    for name in [
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
    ] {
        assert!(site.contains_key(&format!("{ROOT}/schemas/auth/v1/{name}.json")), "{name}");
    }
    let manifest = &site[&urls::api_manifest(ROOT)];
    assert_eq!(manifest["$schema"], "https://falconer.example.com/schemas/common/manifest-v3.json#");
    for url in manifest["references"].as_array().unwrap() {
        assert!(site.contains_key(url.as_str().unwrap()), "{url}");
    }
    let bundle = &site[&format!("{ROOT}/references/references.json")];
    for file in bundle.as_array().unwrap() {
        let name = file["filename"].as_str().unwrap();
        assert!(site.contains_key(&format!("{ROOT}/{name}")), "{name}");
        assert!(file["content"]["$schema"].as_str().unwrap().starts_with(['/', 'h']), "{name}");
        assert!(!file.to_string().contains(ROOT), "{name}");
    }
    assert_eq!(bundle.as_array().unwrap().len(), site.len() - 2, "everything but the manifest and itself");
}

#[test]
fn the_reference_is_the_documented_one() {
    let site = site();
    let reference = &site[&urls::api_reference(ROOT, "auth", "v1")];
    let entry = reference["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == "createClient").unwrap();
    let mut shown = entry.clone();
    for key in ["category", "title", "description"] {
        assert!(shown.as_object_mut().unwrap().remove(key).unwrap().is_string());
    }
    let expected = json!({
        "type": "function", "method": "put", "route": "/clients/<clientId>", "query": [], "args": ["clientId"], "name": "createClient",
        "stability": "stable", "input": "v1/create-client-request.json#", "output": "v1/create-client-response.json#",
        "scopes": { "AllOf": ["auth:create-client:<clientId>", { "for": "scope", "in": "scopes", "each": "<scope>" }] },
    });
    assert_eq!(shown, expected);
    let names: Vec<&str> = reference["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, METHODS.map(|method| method.name));
    assert_eq!(reference["entries"][0].get("scopes"), None, "ping is public");
}

/// What the recorded session masks, as something of the same kind.
fn unmasked(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(unmasked).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), unmasked(value))).collect::<serde_json::Map<_, _>>().into(),
        Value::String(text) => match text.as_str() {
            "<time>" => json!("2026-08-01T12:00:00.000Z"),
            "<time about 1000 years ahead>" => json!("3026-08-01T12:00:00.000Z"),
            "<now+96h>" => json!("2026-08-05T12:00:00.000Z"),
            "<44-char token>" => json!("a".repeat(44)),
            "<jwt HS256>" => json!("e30.e30.c2ln"),
            "<seconds since start>" => json!(1.5),
            other => json!(other),
        },
        other => other.clone(),
    }
}

/// Which method a request is for. The session sends paths as they are; a parameter is one segment.
fn method_of(verb: &str, path: &str) -> Option<&'static Method> {
    let path = path.split('?').next()?;
    let rest = path.get(..12).filter(|head| head.eq_ignore_ascii_case(Service::Auth.prefix())).and_then(|_| path.get(12..))?;
    let given: Vec<&str> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
    METHODS.iter().find(|method| {
        let segments: Vec<Segment<'_>> = method.segments().collect();
        let fits = |(segment, text): (&Segment<'_>, &&str)| !matches!(segment, Segment::Literal(literal) if literal != text);
        method.verb.as_str() == verb && segments.len() == given.len() && segments.iter().zip(&given).all(fits)
    })
}

/// Every body that the reference answered with success, and every one that it took, fits the schema; without any one of its required keys it does not.
#[test]
fn the_schemas_accept_every_recorded_body_and_refuse_it_without_a_key() {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/http-auth-api.json"));
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    let (mut answers, mut requests, mut refused) = (0, 0, 0);
    let mut seen = BTreeSet::new();
    for case in cases.iter().filter(|case| case["expected"]["status"] == 200) {
        let input = &case["input"];
        let Some(method) = method_of(input["method"].as_str().unwrap(), input["path"].as_str().unwrap()) else { continue };
        if let (Some(name), Some(body)) = (method.output, case["expected"].get("body").filter(|body| !body.is_string())) {
            let (schema, body) = (schema_of(method.service, name), unmasked(body));
            assert_eq!(faults(&schema, &body), [""; 0], "{}", case["name"]);
            answers += 1;
            seen.insert(name);
            // No answer has a key that it could do without, except these.
            for key in body.as_object().into_iter().flat_map(serde_json::Map::keys) {
                let mut less = body.clone();
                less.as_object_mut().unwrap().remove(key);
                let optional = matches!((name, key.as_str()), (_, "continuationToken") | ("authenticate-hawk-response", "hash"));
                assert_eq!(schema.is_valid(&less), optional, "{} without {key}", case["name"]);
                refused += usize::from(!optional);
            }
        }
        let body = input.get("body").and_then(|body| match body {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => Some(other.clone()),
        });
        if let (Some(name), Some(body @ Value::Object(_))) = (method.input, body) {
            let schema = schema_of(method.service, name);
            // The trial methods fill in what they declare as required.
            if name != "test-authenticate-request" {
                assert_eq!(faults(&schema, &body), [""; 0], "{}", case["name"]);
                requests += 1;
            }
            let mut more = body;
            more["surplus"] = json!(1);
            assert!(!schema.is_valid(&more), "{} with a surplus key", case["name"]);
        }
    }
    println!("recorded bodies: {answers} answers ({} schemas), {requests} requests, {refused} refused without a key", seen.len());
    assert!(answers >= 90 && requests >= 20 && refused >= 300, "{answers} {requests} {refused}");
}

/// The answers that no recorded case shows, as the schemas have them.
#[test]
fn the_schemas_accept_the_answers_that_were_only_written_down() {
    let time = "2026-08-01T12:00:00.000Z";
    let token = json!({ "accessKeyId": "a", "secretAccessKey": "b", "sessionToken": "c" });
    let role = json!({ "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": time, "AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c", "Expiration": time });
    let mut examples = vec![
        ("aws-s3-credentials-response", json!({ "credentials": token, "expires": time })),
        ("aws-s3-credentials-response", role),
        ("azure-account-list-response", json!({ "accounts": ["a"] })),
        ("azure-table-list-response", json!({ "tables": ["t"] })),
        ("azure-container-list-response", json!({ "containers": ["c"] })),
        ("azure-table-access-response", json!({ "sas": "s", "expiry": time })),
        ("azure-container-response", json!({ "sas": "s", "expiry": time })),
        ("sentry-dsn-response", json!({ "project": "p", "dsn": { "secret": "s", "public": "p" }, "expires": time })),
        ("gcp-credentials-response", json!({ "accessToken": "t", "expireTime": time })),
        ("github-token-response", json!({ "token": "t", "expires": time })),
        ("client-message", json!({ "version": 1, "clientId": "a/b" })),
        ("role-message", json!({ "version": 1, "roleId": "a b" })),
    ];
    for (name, example) in &mut examples {
        let schema = schema_of(Service::Auth, name);
        assert_eq!(faults(&schema, example), [""; 0], "{name}");
        let keys: Vec<String> = example.as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let value = example.as_object_mut().unwrap().remove(&key).unwrap();
            assert!(!schema.is_valid(example), "{name} without {key}");
            example[key] = value;
        }
    }
}

#[test]
fn the_openapi_document_has_every_method_and_examples_that_fit() {
    let document = openapi::document(ROOT, "1.2.3");
    assert_eq!(document["servers"][0]["url"], ROOT);
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            operations.insert(operation["operationId"].as_str().unwrap(), (path, verb, operation));
        }
    }
    assert_eq!(operations.len(), Method::all().count());
    for method in Method::all() {
        let (path, verb, operation) = operations[method.name];
        assert_eq!(verb, &method.verb.as_str().to_ascii_lowercase());
        assert_eq!(path.matches('{').count(), method.params.len(), "{path}");
        for (name, pattern) in method.params.iter().map(|p| (p.name, p.pattern)).chain(method.query.iter().map(|q| (q.name, q.pattern))) {
            let example = examples::parameter(method, name);
            assert!(example.is_some() || name == "continuationToken", "{name}");
            if let (Some(example), Some(pattern)) = (example, pattern) {
                assert!((pattern.matches)(example), "{name} {example}");
            }
        }
        if let Some(name) = method.input {
            let example = examples::body(method).unwrap();
            assert_eq!(faults(&schema_of(method.service, name), &example), [""; 0], "{name}");
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("400") && !responses.contains_key("500"), "{}", method.name);
        for link in responses[&method.success().to_string()]["links"].as_object().into_iter().flatten() {
            let target = Method::all().find(|m| link.1["operationId"] == m.name).unwrap();
            let given: Vec<&str> = link.1["parameters"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(given, target.params.iter().map(|p| p.name).collect::<Vec<_>>(), "{}", link.0);
        }
    }
    let (.., events) = operations["events"];
    assert_eq!(events["responses"]["200"]["content"]["text/event-stream"]["schema"]["type"], "string");
    let headers: Vec<&Value> = events["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"] == "header").collect();
    assert_eq!(headers.iter().map(|header| &header["name"]).collect::<Vec<_>>(), ["Last-Event-ID"]);
    references_resolve(&document, &document);
}

fn references_resolve(json: &Value, document: &Value) {
    match json {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
            }
            map.values().for_each(|value| references_resolve(value, document));
        }
        Value::Array(items) => items.iter().for_each(|item| references_resolve(item, document)),
        _ => {}
    }
}
