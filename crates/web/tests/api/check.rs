//! A verdict instead of a list: what check answers, to whom, and what it keeps to itself.

use std::collections::BTreeSet;

use crate::support::{Answer, Call, Credentials, Node, api, call, client, hash_of, node, root};
use serde_json::{Value, json};

const HOST: &str = "notes.example.com";
const JSON: &str = "application/json";

fn here(route: &str, question: &Value) -> Call {
    call("POST", &format!("/api/falconer/v1{route}")).json(question.clone())
}

/// The parts of a request that somebody signed for the service.
fn parts(node: &Node, verb: &str, resource: &str, who: Option<Credentials>) -> Value {
    let mut signed = call(verb, resource);
    signed.auth = who;
    signed.signed_for = Some((HOST.to_owned(), 443));
    let mut parts = json!({"method": verb.to_ascii_lowercase(), "resource": resource, "host": HOST, "port": 443});
    if let Some(header) = signed.request(node.now_ms()).headers().get("authorization") {
        parts["authorization"] = header.to_str().unwrap().into();
    }
    parts
}

fn question(node: &Node, who: Option<Credentials>, required: Value) -> Value {
    json!({"request": parts(node, "GET", "/books/red", who), "required": required})
}

/// The answer, which is the same read the short way and the long one, but for the id of a refusal.
async fn check(node: &Node, question: &Value) -> Value {
    let answer = node.send(here("/check", question)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let long = node.send(call("POST", "/api/falconer/v1/check").raw("application/json; charset=utf-8", format!(" {question}"))).await;
    let without_id = |answer: &Answer| {
        let mut json = answer.json.clone();
        let id = json.as_object_mut().unwrap().remove("id");
        assert_eq!(id.is_some(), json["status"] != "allowed", "{json}");
        json
    };
    assert_eq!(without_id(&answer), without_id(&long));
    assert_eq!(
        serde_json::to_value(serde_json::from_value::<falconer_wire::CheckResponse>(answer.json.clone()).unwrap()).unwrap(),
        answer.json,
        "the shape of the wire"
    );
    answer.json
}

#[tokio::test]
async fn allowed_denied_and_failed() {
    let node = node().await;
    node.new_role("writers", &["notes:write:*"]).await;
    let ann = node.new_client("ann", &["assume:writers", "notes:read:red", "secret:of:ann"]).await;
    let ask = async |required: Value| check(&node, &question(&node, Some(ann.clone()), required)).await;

    let allowed = ask(json!({"AllOf": ["notes:read:red", "notes:write:blue"]})).await;
    assert_eq!(allowed, json!({"status": "allowed", "expires": "2030-01-01T00:00:00.000Z", "clientId": "ann"}));
    assert_eq!(ask(json!("notes:write:caf\u{e9}")).await["status"], "allowed", "a star covers any text");
    assert_eq!(ask(json!({"AllOf": []})).await["status"], "allowed");
    assert_eq!(ask(json!({"AnyOf": []})).await["status"], "denied");

    let denied = ask(json!({"AllOf": ["notes:read:red", {"AnyOf": ["notes:read:blue", "notes:admin"]}]})).await;
    assert_eq!((&denied["status"], &denied["reason"]), (&json!("denied"), &json!("scopes-missing")));
    assert_eq!(denied["missing"], json!({"AnyOf": ["notes:read:blue", "notes:admin"]}));
    assert_eq!((&denied["clientId"], &denied["expires"]), (&json!("ann"), &json!("2030-01-01T00:00:00.000Z")));
    assert!(denied["message"].as_str().unwrap().starts_with("Client ID ann does not have sufficient scopes"));
    assert_eq!(denied["id"].as_str().unwrap().len(), 22);
    assert!(!denied.to_string().contains("secret:of:ann"), "nothing that was not asked about");

    let wrong = check(&node, &question(&node, Some(client("ann", "not-the-token")), json!("x"))).await;
    assert_eq!((&wrong["status"], &wrong["reason"]), (&json!("failed"), &json!("bad-mac")));
    assert_eq!(wrong["message"], "Unauthorized: Bad mac");
    let unknown = check(&node, &question(&node, Some(client("nobody", "not-the-token")), json!("x"))).await;
    assert_eq!((&unknown["reason"], &unknown["message"]), (&wrong["reason"], &wrong["message"]));

    let nobody = check(&node, &question(&node, None, json!("x"))).await;
    assert_eq!((&nobody["status"], &nobody["reason"]), (&json!("denied"), &json!("no-credentials")));
    assert!(nobody.get("clientId").is_none());
    node.new_role("anonymous", &["notes:read:public"]).await;
    let public = check(&node, &question(&node, None, json!("notes:read:public"))).await;
    assert_eq!(public, json!({"status": "allowed", "expires": "2026-08-01T12:15:00.000Z"}));
}

/// Header and bewit at once: the header's signature holds, and both kits of ours found it accepted.
#[tokio::test]
async fn a_header_beside_a_bewit_is_refused() {
    let node = node().await;
    let ann = node.new_client("ann", &["x"]).await;
    for (resource, status) in [("/a?b=1&bewit=abc", "failed"), ("/a?bewit=", "failed"), ("/a?bewits=1", "allowed"), ("/bewit=1", "allowed")]
    {
        let question = json!({ "request": parts(&node, "GET", resource, Some(ann.clone())), "required": "x" });
        let answer = check(&node, &question).await;
        assert_eq!(answer["status"], status, "{resource}");
        assert_eq!(answer["reason"] == "two-schemes", status == "failed", "{resource}");
    }
}

/// Each word, with a request that earns it.
#[tokio::test]
async fn every_refusal_has_a_word_of_its_own() {
    let node = node().await;
    node.new_person().await;
    let ann = node.new_client("ann", &["x"]).await;
    let switched_off = node.new_client("off", &["x"]).await;
    assert_eq!(node.send(api("POST", "/clients/off/disable").by(root())).await.status, 200);
    let ended = node.new_client("ended", &["x"]).await;
    let past = json!({ "expires": "2001-01-01T00:00:00Z", "description": "" });
    assert_eq!(node.send(api("POST", "/clients/ended").by(root()).json(past)).await.status, 200);
    let (grant, granted) = node.new_grant(&["x:1"]).await;
    node.auth.revoke_grants(&[crate::support::PERSON], crate::support::PERSON, &[grant], "").await.unwrap();
    let certificate = |text: &str| Credentials { certificate: Some(text.to_owned()), ..ann.clone() };
    let ext = |text: &str| Credentials { ext: Some(text.to_owned()), ..ann.clone() };
    let late = Credentials { ts_seconds: Some(node.now_ms() / 1000 - 1000), ..ann.clone() };
    for (who, word) in [
        (client("ann", "wrong"), "bad-mac"),
        (switched_off, "client-disabled"),
        (ended, "client-expired"),
        (granted, "grant-revoked"),
        (certificate("{\"version\":2}"), "certificate-invalid"),
        (ext("bm90IGpzb24"), "ext-invalid"),
        (ann.clone().restricted_to(&["y"]), "authorized-scopes"),
        (late, "stale-timestamp"),
    ] {
        let answer = check(&node, &question(&node, Some(who), json!("x"))).await;
        assert_eq!((&answer["status"], &answer["reason"]), (&json!("failed"), &json!(word)), "{answer}");
    }
    let mut other = question(&node, None, json!("x"));
    other["request"]["authorization"] = "Bearer x".into();
    assert_eq!(check(&node, &other).await["reason"], "malformed");
    let mut moved = question(&node, Some(ann.clone()), json!("x"));
    assert_eq!(check(&node, &moved).await["status"], "allowed");
    moved["request"]["port"] = 8443.into();
    assert_eq!(check(&node, &moved).await["reason"], "bad-mac", "signed for another port");
    let mut bewit = call("GET", "/books/red");
    bewit.bewit = Some((ann.clone(), -10));
    bewit.signed_for = Some((HOST.to_owned(), 443));
    let resource = bewit.request(node.now_ms()).uri().to_string();
    let over = json!({"request": {"method": "get", "resource": resource, "host": HOST, "port": 443}, "required": "x"});
    assert_eq!(check(&node, &over).await["reason"], "bewit-expired");
}

#[tokio::test]
async fn the_body_that_arrived_is_the_one_that_was_signed() {
    let node = node().await;
    let ann = node.new_client("ann", &["x"]).await;
    let (body, other) = (hash_of(JSON, b"{\"a\":1}"), hash_of(JSON, b"{\"a\":2}"));
    let signed = Credentials { hash: Some(body.clone()), ..ann.clone() };
    let ask = async |who: Option<&Credentials>, arrived: Option<&str>, required: &str| {
        let mut question = question(&node, who.cloned(), json!(required));
        if let Some(arrived) = arrived {
            question["payloadHash"] = arrived.into();
        }
        let answer = check(&node, &question).await;
        (answer["status"].as_str().unwrap().to_owned(), answer["reason"].as_str().unwrap_or("").to_owned(), answer.get("hash").cloned())
    };
    let said = |status: &str, reason: &str, hash: Option<&str>| (status.to_owned(), reason.to_owned(), hash.map(Value::from));
    assert_eq!(ask(Some(&signed), Some(&body), "x").await, said("allowed", "", Some(&body)));
    assert_eq!(ask(Some(&signed), None, "x").await, said("allowed", "", Some(&body)), "the service compares it");
    assert_eq!(ask(Some(&signed), Some(&other), "x").await, said("failed", "payload-differs", None));
    // A body that was dropped on the way is another one.
    assert_eq!(ask(Some(&signed), Some(&hash_of("", b"")), "x").await, said("failed", "payload-differs", None));
    assert_eq!(ask(Some(&ann), Some(&body), "x").await, said("failed", "payload-not-signed", None));
    for kind in ["", JSON] {
        assert_eq!(ask(Some(&ann), Some(&hash_of(kind, b"")), "x").await, said("allowed", "", None), "nothing need not be signed");
    }
    // The body comes before the scopes, and nobody has signed anything.
    assert_eq!(ask(Some(&signed), Some(&other), "y").await, said("failed", "payload-differs", None));
    assert_eq!(ask(Some(&signed), Some(&body), "y").await, said("denied", "scopes-missing", Some(&body)));
    assert_eq!(ask(None, Some(&body), "y").await, said("denied", "no-credentials", None));
}

#[tokio::test]
async fn scopes_are_revealed_below_the_named_prefixes_only() {
    let node = node().await;
    let ann = node.new_client("ann", &["assume:user:ann", "notes:read:red", "notes:write:*", "secret:a"]).await;
    let ask = async |who: &Credentials, reveal: Value| {
        let mut question = question(&node, Some(who.clone()), json!({"AllOf": []}));
        question["reveal"] = reveal;
        check(&node, &question).await
    };
    let shown = ask(&ann, json!(["assume:user:", "notes:"])).await;
    assert_eq!(shown["revealed"], json!(["assume:user:ann", "notes:read:red", "notes:write:*"]));
    assert_eq!(ask(&ann, json!(["notes:write:blue"])).await["revealed"], json!(["notes:write:blue*"]), "narrowed to what was asked");
    assert_eq!(ask(&ann, json!([])).await["revealed"], json!([]));
    assert_eq!(ask(&root(), json!(["assume:user:"])).await["revealed"], json!(["assume:user:*"]), "who may do everything is nobody");
    let many: Vec<String> = (0..1500).map(|n| format!("many:{n:04}")).collect();
    let wide = node.new_client("wide", &many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let cut = ask(&wide, json!(["many:"])).await;
    assert_eq!((cut["revealed"].as_array().unwrap().len(), &cut["revealedMore"]), (1000, &json!(true)));
    assert!(ask(&wide, json!(["many:00"])).await.get("revealedMore").is_none());
}

/// The vectors of the SDKs hold for what check reveals, too.
#[tokio::test]
async fn a_star_proves_nobody() {
    let node = node().await;
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../../vectors/ours/identity-proof.json")).unwrap();
    assert!(cases.len() >= 18);
    for (at, case) in cases.iter().enumerate() {
        let scopes: Vec<&str> = case["input"]["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
        let who = node.new_client(&format!("case-{at}"), &scopes).await;
        let mut question = question(&node, Some(who), json!({"AllOf": []}));
        question["reveal"] = json!(["assume:"]);
        let answer = check(&node, &question).await;
        let role = case["input"]["role"].as_str().unwrap();
        let names = role.split_once(':').is_some_and(|(kind, who)| !kind.is_empty() && !who.is_empty() && !role.ends_with('*'));
        let listed = answer["revealed"].as_array().unwrap().contains(&json!(format!("assume:{role}")));
        assert_eq!(names && listed, case["expected"] == true, "{}", case["name"]);
    }
}

#[tokio::test]
async fn who_it_is_is_told_where_it_is_asked_and_due() {
    let node = node().await;
    node.new_person().await;
    let (_, granted) = node.new_grant(&["x:1"]).await;
    let ask = async |identity: Option<bool>, host: &str, who: &Credentials| {
        let mut signed = call("GET", "/books/red").by(who.clone());
        signed.signed_for = Some((host.to_owned(), 443));
        let header = signed.request(node.now_ms()).headers()["authorization"].to_str().unwrap().to_owned();
        let request = json!({"method": "get", "resource": "/books/red", "host": host, "port": 443, "authorization": header});
        let mut question = json!({"request": request, "required": "x:1"});
        if let Some(identity) = identity {
            question["identity"] = identity.into();
        }
        let answer = check(&node, &question).await;
        assert_eq!(answer["status"], "allowed");
        answer.get("identity").map(|identity| identity["id"].clone())
    };
    assert_eq!(ask(Some(true), HOST, &granted).await, Some(json!("local/ann")));
    assert_eq!(ask(Some(false), HOST, &granted).await, None);
    assert_eq!(ask(None, HOST, &granted).await, None);
    assert_eq!(ask(Some(true), "other.example.com", &granted).await, None, "another service");
    assert_eq!(ask(Some(true), HOST, &granted.clone().restricted_to(&["x:1"])).await, None, "a deputy's restricted call");
}

#[tokio::test]
async fn a_page_of_a_list_and_several_requests_in_one_call() {
    let node = node().await;
    let ann = node.new_client("ann", &["notes:read:red", "notes:list"]).await;
    let mut page = question(&node, Some(ann.clone()), json!("notes:list"));
    page["each"] = json!(["notes:read:red", {"AllOf": ["notes:read:red", "notes:read:blue"]}, {"AllOf": []}]);
    let answer = check(&node, &page).await;
    assert_eq!(answer["each"], json!([{"status": "allowed"}, {"status": "denied", "missing": "notes:read:blue"}, {"status": "allowed"}]));
    page["required"] = "notes:admin".into();
    assert!(check(&node, &page).await.get("each").is_none(), "nothing is told to whoever is denied");

    let fine = question(&node, Some(ann), json!("notes:list"));
    let wrong = question(&node, Some(client("ann", "wrong")), json!("notes:list"));
    let checks = json!({"checks": [fine, wrong, question(&node, None, json!("x"))]});
    for call in [here("/checks", &checks), call("POST", "/api/falconer/v1/checks").raw(JSON, format!("{checks:#}"))] {
        let answer = node.send(call).await;
        let statuses: Vec<&str> = answer.json["checks"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["allowed", "failed", "denied"]);
        let ids: BTreeSet<&str> = answer.json["checks"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
        assert_eq!(ids.len(), 2, "each refusal has an id of its own");
    }
}

#[tokio::test]
async fn what_is_no_question_is_a_precise_400() {
    let node = node().await;
    let fine = question(&node, None, json!("x"));
    let nested = |depth: usize| (0..depth).fold(json!("x"), |inner, _| json!({"AllOf": [inner]}));
    let with = |key: &str, value: Value| {
        let mut question = fine.clone();
        question[key] = value;
        question
    };
    let request = |key: &str, value: Value| {
        let mut question = fine.clone();
        question["request"][key] = value;
        question
    };
    for (question, text) in [
        (with("required", json!("")), "data/required must NOT have fewer than 1 characters"),
        (with("required", json!(1)), "data/required must be "),
        (with("required", json!(null)), "data/required must be "),
        (with("required", json!(["x"])), "data/required must be "),
        (with("required", json!({})), "data/required must NOT have fewer than 1 properties"),
        (with("required", json!({"OneOf": ["x"]})), "data/required must NOT have additional properties: \"OneOf\""),
        (with("required", json!({"AllOf": ["x"], "AnyOf": ["x"]})), "data/required must NOT have more than 1 properties"),
        (with("required", json!({"AllOf": "x"})), "data/required/AllOf must be array"),
        (with("required", json!({"AllOf": ["x", {"AnyOf": ["y", ""]}]})), "data/required/AllOf/1/AnyOf/1 must NOT have fewer than 1"),
        (with("required", nested(9)), "/AllOf/0/AllOf/0/AllOf/0 must be string"),
        (with("each", json!(["x", 1])), "data/each/1 must be "),
        (with("each", json!(vec!["x"; 129])), "data/each must NOT have more than 128 items"),
        (with("reveal", json!(["notes"])), "data/reveal/0 must match pattern"),
        (with("reveal", json!(["notes:*"])), "data/reveal/0 must match pattern"),
        (with("reveal", json!([""])), "data/reveal/0 must match pattern"),
        (with("reveal", json!(["a:", "a:"])), "data/reveal must NOT have duplicate items"),
        (with("payloadHash", json!("x")), "data/payloadHash must match pattern"),
        (with("payloadHash", json!(null)), "data/payloadHash must be string"),
        (with("identity", json!("yes")), "data/identity must be boolean"),
        (with("scopes", json!([])), "data must NOT have additional properties: \"scopes\""),
        (request("port", json!(70000)), "data/request/port must be <= 65535"),
        (request("method", json!("GET")), "data/request/method must be equal to one of the allowed values"),
        (request("host", json!("a b")), "data/request/host must match format"),
        (json!({"required": "x"}), "data must have required property 'request'"),
    ] {
        let answer = node.send(here("/check", &question)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "InputValidationError"), "{question}");
        assert!(answer.message().contains(text), "{text}: {}", answer.message());
        let several = node.send(here("/checks", &json!({"checks": [fine, question]}))).await;
        let text = text.replace("data", "data/checks/1");
        assert!(several.status == 400 && several.message().contains(&text), "{text}: {}", several.message());
    }
    assert_eq!(node.send(here("/check", &with("required", nested(8)))).await.json["status"], "denied");
    assert_eq!(node.send(here("/check", &request("port", json!(443.0)))).await.json["status"], "denied", "an integer is an integer");
    let empty = node.send(here("/checks", &json!({"checks": []}))).await;
    assert_eq!((empty.status.as_u16(), empty.code()), (400, "InputValidationError"));
    let many = node.send(here("/checks", &json!({"checks": vec![&fine; 17]}))).await;
    assert_eq!(many.status, 400);
    // Each within its bounds, and together too long.
    let long = with("each", json!(vec!["x".repeat(200); 100]));
    let answer = node.send(here("/check", &long)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, "InputTooLarge"));
}

/// What a service passes on is repeated nowhere.
#[tokio::test]
async fn no_error_repeats_what_was_signed() {
    let node = node().await;
    let mut fine = question(&node, Some(root()), json!(1));
    fine["request"]["resource"] = "/x?bewit=c2VjcmV0".into();
    let mac = fine["request"]["authorization"].as_str().unwrap().split("mac=").nth(1).unwrap().to_owned();
    let several = json!({"checks": [fine]});
    let broken = json!({"request": fine["request"].to_string(), "required": "x"});
    for call in [here("/check", &fine), here("/checks", &several), here("/check", &broken)] {
        let answer = node.send(call).await;
        let text = answer.json.to_string();
        assert!(answer.status == 400 && !text.contains("c2VjcmV0") && !text.contains(mac.trim_matches('"')), "{text}");
    }
}
