//! A client put whole and batches over HTTP: what they answer, what they refuse, and that no token comes back in an error.

use crate::support::{Answer, Call, api, call, client, node, root};
use falconer_wire::schemas;
use falconer_wire::{Method, Service};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-that-was-in-use-elsewhere_1234567890";

fn ours(method: &str, route: &str) -> Call {
    call(method, &format!("/api/falconer/v1{route}"))
}

fn import(body: Value) -> Call {
    ours("POST", "/import").by(root()).json(body)
}

fn one(id: &str) -> Value {
    json!({ "clientId": id, "scopes": ["b", "a"], "expires": "2030-01-01T00:00:00Z", "description": "moved" })
}

/// It is what the method's published schema says.
fn fits(answer: &Answer, name: &str) {
    let method = Method::all().find(|method| method.name == name).unwrap();
    assert_eq!(method.service, Service::Falconer);
    let mut schema: Value = serde_json::from_str(schemas::get(Service::Falconer, method.output.unwrap()).unwrap().json).unwrap();
    for key in ["$schema", "$id"] {
        schema.as_object_mut().unwrap().remove(key);
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&answer.json), "{}", answer.json);
}

fn refused(answer: &Answer, status: u16, code: &str, words: &str) {
    assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{}", answer.json);
    assert!(answer.message().contains(words), "{words:?} is not in {:?}", answer.message());
    assert!(!String::from_utf8_lossy(&answer.bytes).contains(TOKEN), "{}", answer.json);
}

#[tokio::test]
async fn a_batch_answers_for_each_record_and_again() {
    let node = node().await;
    let body = json!({
        "roles": [
            { "roleId": "top", "scopes": ["assume:base", "a"], "description": "" },
            { "roleId": "base", "scopes": ["b:*"], "description": "Ω" },
        ],
        "clients": [one("p/new"), { "clientId": "p/moved", "scopes": [], "expires": "2030-01-01T00:00:00Z", "description": "", "accessToken": TOKEN, "disabled": true }],
    });
    let mut planned = body.clone();
    planned["dryRun"] = json!(true);
    let plan = node.send(import(planned)).await;
    fits(&plan, "importBatch");
    assert_eq!(
        plan.json["clients"],
        json!([{ "clientId": "p/new", "outcome": "created" }, { "clientId": "p/moved", "outcome": "created" }])
    );
    assert_eq!(plan.header("falconer-revision"), Some(node.auth.revision().0.to_string().as_str()), "what it was planned on");
    assert_eq!(node.send(api("GET", "/roles/top").by(root())).await.status, 404);

    let imported = node.send(import(body.clone())).await;
    assert_eq!(imported.status, 200, "{}", imported.json);
    fits(&imported, "importBatch");
    let revision = imported.header("falconer-revision").unwrap().to_owned();
    assert_eq!(imported.json["roles"], json!([{ "roleId": "top", "outcome": "created" }, { "roleId": "base", "outcome": "created" }]));
    let token = imported.json["clients"][0]["accessToken"].as_str().unwrap();
    assert_eq!(imported.json["clients"][1], json!({ "clientId": "p/moved", "outcome": "created" }));
    let whoami = node.send(api("GET", "/scopes/current").by(client("p/new", token))).await;
    assert_eq!(whoami.code(), "InsufficientScopes", "the new token works: {}", whoami.json);

    let repeated = node.send(import(body.clone())).await;
    assert_eq!(repeated.header("falconer-revision"), Some(revision.as_str()));
    assert_eq!(repeated.json["clients"][0], json!({ "clientId": "p/new", "outcome": "unchanged", "accessToken": token }));
    node.advance(15 * 60_000);
    let late = node.send(import(body)).await;
    assert_eq!(late.json["clients"][0], json!({ "clientId": "p/new", "outcome": "unchanged" }));
}

/// The pages and the command line have rules for the ids `.` and `..`; that the API takes them like any other was written down and tried by nobody.
#[tokio::test]
async fn ids_of_dots_are_ids() {
    let node = node().await;
    let role = json!({ "scopes": ["a"], "description": "" });
    for id in [".", ".."] {
        let with_id = json!({ "roleId": id, "scopes": ["a"], "description": "" });
        let imported = node.send(import(json!({ "roles": [with_id], "clients": [one(id)] }))).await;
        assert_eq!(imported.status, 200, "{}", imported.json);
        assert_eq!(imported.json["roles"], json!([{ "roleId": id, "outcome": "created" }]));
        assert_eq!(imported.json["clients"][0]["clientId"], json!(id));
        let token = imported.json["clients"][0]["accessToken"].as_str().unwrap();
        let whoami = node.send(api("GET", "/scopes/current").by(client(id, token))).await;
        assert_eq!(whoami.code(), "InsufficientScopes", "it signs: {}", whoami.json);

        // Whoever sends a path as it is names them there, as it is or encoded.
        let encoded = id.replace('.', "%2E");
        for (route, name) in [("roles", "roleId"), ("clients", "clientId")] {
            let found = node.send(api("GET", &format!("/{route}/{id}")).by(root())).await;
            assert_eq!((found.status.as_u16(), &found.json[name]), (200, &json!(id)), "{}", found.json);
            let gone = node.send(api("DELETE", &format!("/{route}/{encoded}")).by(root())).await;
            assert_eq!(gone.status, 204, "{}", gone.json);
            assert_eq!(node.send(api("GET", &format!("/{route}/{id}")).by(root())).await.status, 404);
        }
        let expires = json!({ "expires": "2030-01-01T00:00:00Z", "description": "" });
        for (route, body) in [(format!("/roles/{id}"), &role), (format!("/clients/{encoded}"), &expires)] {
            let new_record = node.send(api("PUT", &route).by(root()).json(body.clone())).await;
            assert_eq!(new_record.status, 200, "{route}: {}", new_record.json);
        }
    }
    let listed = node.send(api("GET", "/clients/").by(root())).await;
    assert_eq!(
        listed.json["clients"].as_array().unwrap().iter().filter(|one| one["clientId"].as_str().unwrap().starts_with('.')).count(),
        2
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_record() {
    let node = node().await;
    let poor = node.new_client("poor", &["auth:create-role:*", "auth:create-client:*", "a"]).await;
    let with_token = json!({ "clientId": "c", "scopes": [], "expires": "2030-01-01T00:00:00Z", "description": "", "accessToken": TOKEN });
    let role = |id: &str, scopes: &[&str]| json!({ "roleId": id, "scopes": scopes, "description": "" });
    let send = async |body: Value| node.send(import(body)).await;

    let twice = send(json!({ "roles": [role("r", &[]), role("r", &["x"])], "clients": [with_token.clone()] })).await;
    refused(&twice, 400, "InputError", "roles[1] \"r\": roles[0] has the same id");
    assert_eq!(twice.json["requestInfo"]["payload"]["clients"][0]["accessToken"], "(hidden)");
    let fixed = send(json!({ "roles": [], "clients": [one("a"), one("static/x")] })).await;
    refused(&fixed, 400, "InputError", "clients[1] \"static/x\": clientId");
    let cycle = send(json!({ "roles": [role("x", &["assume:y"]), role("y", &["assume:x"])], "clients": [] })).await;
    refused(&cycle, 400, "InputError", "Roles may not contain dependency cycles, found: 'assume:x' -> 'assume:y' -> 'assume:x'");
    assert!(cycle.message().starts_with("roles["), "{}", cycle.message());

    let by_poor = |body: Value| ours("POST", "/import").by(poor.clone()).json(body);
    let lacking = node.send(by_poor(json!({ "roles": [role("r", &["a"])], "clients": [one("c")] }))).await;
    refused(&lacking, 403, "InsufficientScopes", "clients[0] \"c\": Client ID poor does not have sufficient scopes");
    let lacking = node.send(by_poor(json!({ "roles": [], "clients": [with_token.clone()] }))).await;
    refused(&lacking, 403, "InsufficientScopes", "auth:set-access-token:c");
    let nobody = node.send(ours("POST", "/import").json(json!({ "roles": [role("r", &[])], "clients": [] }))).await;
    refused(&nobody, 403, "InsufficientScopes", "This request requires Taskcluster credentials");

    let mut bad = with_token.clone();
    bad["expires"] = json!("tomorrow");
    for (client, words) in [
        (bad, "data/clients/0/expires must match format \"date-time\""),
        (
            json!({ "clientId": "c", "scopes": [], "expires": "2030-01-01T00:00:00Z", "description": "", "accessToken": "short" }),
            "data/clients/0/accessToken must match pattern",
        ),
        (
            json!({ "clientId": "c d", "scopes": [], "expires": "2030-01-01T00:00:00Z", "description": "" }),
            "data/clients/0/clientId must match pattern",
        ),
        (
            json!({ "clientId": "c", "scopes": ["a", "a"], "expires": "2030-01-01T00:00:00Z", "description": "" }),
            "data/clients/0/scopes must NOT have duplicate items",
        ),
        (
            json!({ "clientId": "c", "scopes": [], "expires": "2030-01-01T00:00:00Z", "description": "", "more": 1 }),
            "data/clients/0 must NOT have additional properties",
        ),
        (json!({ "clientId": "c", "scopes": [], "description": "" }), "data/clients/0 must have required property 'expires'"),
    ] {
        refused(&send(json!({ "roles": [], "clients": [client] })).await, 400, "InputValidationError", words);
    }
    refused(&send(json!({ "roles": [] })).await, 400, "InputValidationError", "must have required property 'clients'");
    let nul = send(json!({ "roles": [{ "roleId": "r", "scopes": [], "description": "a\u{0}b" }], "clients": [] })).await;
    refused(&nul, 400, "InputError", "roles[0] \"r\": description must not contain the character U+0000");
    let roles: Vec<Value> = (0..5_001).map(|n| role(&format!("r{n}"), &[])).collect();
    let clients: Vec<Value> = (0..5_000).map(|n| one(&format!("c{n}"))).collect();
    let many = send(json!({ "roles": roles, "clients": clients })).await;
    refused(&many, 413, "InputTooLarge", "A batch may hold at most 10000 records; this one has 10001");
    // A body that was not understood may hold a token anywhere.
    let broken = node.send(ours("POST", "/import").by(root()).raw("application/json", format!("[\"{TOKEN}\""))).await;
    refused(&broken, 400, "MalformedPayload", "Failed to parse JSON");
    assert_eq!(node.auth.directory().role_records().count() + node.auth.directory().clients("c").count(), 0, "nothing was done");
}

#[tokio::test]
async fn a_client_is_put_with_its_token() {
    let node = node().await;
    let body = json!({ "accessToken": TOKEN, "scopes": ["b", "a"], "expires": "2030-01-01T00:00:00Z", "description": "moved" });
    let put = |body: &Value| ours("PUT", "/clients/p%2Fx").by(root()).json(body.clone());
    let created = node.send(put(&body)).await;
    assert_eq!(created.status, 200, "{}", created.json);
    fits(&created, "putClient");
    assert_eq!((&created.json["scopes"], created.json.get("accessToken")), (&json!(["a", "b"]), None));
    let revision = created.header("falconer-revision").unwrap().to_owned();
    let repeated = node.send(put(&body)).await;
    assert_eq!((repeated.header("falconer-revision"), &repeated.json), (Some(revision.as_str()), &created.json));
    let whoami = node.send(api("GET", "/scopes/current").by(client("p/x", TOKEN))).await;
    assert_eq!(whoami.code(), "InsufficientScopes", "the token works: {}", whoami.json);
    let shown = node.send(api("GET", "/clients/p%2Fx").by(root())).await;
    assert_eq!(shown.json, created.json);

    let mut wrong = body.clone();
    wrong["more"] = json!(1);
    refused(&node.send(put(&wrong)).await, 400, "InputValidationError", "must NOT have additional properties");
    wrong = body.clone();
    wrong.as_object_mut().unwrap().remove("accessToken");
    refused(&node.send(put(&wrong)).await, 400, "InputValidationError", "must have required property 'accessToken'");
    let fixed = node.send(ours("PUT", "/clients/static%2Fx").by(root()).json(body.clone())).await;
    refused(&fixed, 400, "InputError", "reserved for statically configured clients");
    let partly = node.new_client("partly", &["auth:create-client:q", "a", "b"]).await;
    refused(&node.send(ours("PUT", "/clients/q").by(partly).json(body)).await, 403, "InsufficientScopes", "auth:set-access-token:q");
}
