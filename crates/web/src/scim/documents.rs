//! What the server says of itself (RFC 7643 sections 5 to 7).

use falconer_login::{GROUP_SCHEMA, MOST_LISTED, USER_SCHEMA};
use serde_json::{Value, json};

pub(super) fn config(origin: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MOST_LISTED},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "The token of the directory, as Authorization: Bearer",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{origin}{}/ServiceProviderConfig", super::ROOT)},
    })
}

pub(super) fn types(origin: &str) -> Vec<Value> {
    let of = |name: &str, endpoint: &str, schema: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": endpoint,
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": format!("{origin}{}/ResourceTypes/{name}", super::ROOT)},
        })
    };
    vec![of("User", "/Users", USER_SCHEMA), of("Group", "/Groups", GROUP_SCHEMA)]
}

/// What is kept, and nothing else.
pub(super) fn schemas(origin: &str) -> Vec<Value> {
    let email = [text("value", true, false), text("type", false, false), boolean("primary")];
    let name = ["formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"];
    let member = [text("value", true, false), text("type", false, false)];
    let user = [
        unique("userName", true, false),
        unique("externalId", false, true),
        boolean("active"),
        text("displayName", false, false),
        complex("name", false, &name.map(|part| text(part, false, false))),
        complex("emails", true, &email),
    ];
    let group = [unique("displayName", true, false), unique("externalId", false, true), complex("members", true, &member)];
    let of = |id: &str, name: &str, attributes: &[Value]| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": id,
            "name": name,
            "description": format!("A {}, as far as it is kept", name.to_lowercase()),
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": format!("{origin}{}/Schemas/{id}", super::ROOT)},
        })
    };
    vec![of(USER_SCHEMA, "User", &user), of(GROUP_SCHEMA, "Group", &group)]
}

fn attribute(name: &str, of: &str, several: bool) -> Value {
    json!({
        "name": name,
        "type": of,
        "multiValued": several,
        "description": name,
        "required": false,
        "mutability": "readWrite",
        "returned": "default",
    })
}

fn with(mut attribute: Value, more: Value) -> Value {
    if let (Some(attribute), Value::Object(more)) = (attribute.as_object_mut(), more) {
        attribute.extend(more);
    }
    attribute
}

fn text(name: &str, required: bool, exact: bool) -> Value {
    with(attribute(name, "string", false), json!({"required": required, "caseExact": exact, "uniqueness": "none"}))
}

fn unique(name: &str, required: bool, exact: bool) -> Value {
    with(text(name, required, exact), json!({"uniqueness": "server"}))
}

fn boolean(name: &str) -> Value {
    attribute(name, "boolean", false)
}

fn complex(name: &str, several: bool, parts: &[Value]) -> Value {
    with(attribute(name, "complex", several), json!({"subAttributes": parts}))
}
