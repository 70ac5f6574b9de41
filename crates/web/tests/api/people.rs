//! People over `/api/falconer/v1`: from an invitation to the end of an account, bad input, and who is refused.

use crate::support::{Answer, Call, Credentials, Node, PERSON, api, call, node, root};
use falconer_login::Visitor;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

fn ours(method: &str, route: &str) -> Call {
    call(method, &format!("/api/falconer/v1{route}"))
}

async fn helper(node: &Node) -> Credentials {
    let verbs = ["create", "get", "update", "disable", "enable", "unlock", "delete", "sign-out", "revoke-grants-of", "reset"];
    let mut scopes: Vec<String> = verbs.iter().map(|verb| format!("auth:{verb}-person:*")).collect();
    scopes.extend(["auth:list-people", "auth:audit-history:person", "assume:local-group:writers", "x:1"].map(str::to_owned));
    node.new_client("helper", &scopes.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn invite(node: &Node, helper: &Credentials, name: &str, body: Value) -> Answer {
    node.send(ours("PUT", &format!("/people/local%2F{name}")).by(helper.clone()).json(body)).await
}

fn token_of(link: &Answer) -> String {
    let url = link.json["url"].as_str().unwrap();
    url.strip_prefix("http://localhost:60700/password-link?token=").unwrap().to_owned()
}

async fn signs_in(node: &Node, name: &str, password: &str) -> bool {
    let visitor = Visitor { address: [127, 0, 0, 1].into(), user_agent: "a browser", browser: None };
    node.login.sign_in_local(name, password, &visitor).await.is_ok()
}

#[tokio::test]
async fn a_person_from_the_invitation_to_the_end() {
    let node = node().await;
    let helper = helper(&node).await;
    let link = invite(&node, &helper, "bob", json!({ "displayName": "Bob", "email": "bob@example.com", "groups": ["writers"] })).await;
    assert_eq!((link.status.as_u16(), link.json["identity"].as_str()), (200, Some("local/bob")), "{}", link.json);
    assert_eq!(link.json["expires"], "2026-08-08T12:00:00.000Z");
    assert_eq!(link.header("cache-control"), Some("no-store no-cache must-revalidate"), "{:?}", link.headers);
    node.login.use_account_link(&token_of(&link), PASSWORD).await.unwrap();
    assert!(signs_in(&node, "bob", PASSWORD).await);

    let one = async || node.send(ours("GET", "/people/local%2Fbob").by(helper.clone())).await.json;
    let bob = one().await;
    assert_eq!(bob["identities"][0]["groups"], json!(["writers"]));
    assert_eq!(bob["sessions"][0]["userAgent"], "a browser");
    assert!(bob["expandedScopes"].as_array().unwrap().contains(&json!("assume:local-group:writers")), "{bob}");
    assert_eq!(bob["history"], "/api/falconer/v1/people/local%2Fbob/history");
    let shown = bob.to_string();
    assert!(!shown.contains("argon2") && !shown.contains("token"), "{shown}");

    let change = async |body: Value| node.send(ours("POST", "/people/local%2Fbob").by(helper.clone()).json(body)).await;
    let changed = change(json!({ "email": null, "groups": [], "scopes": ["x:1"] })).await;
    assert_eq!((changed.status.as_u16(), changed.json["revision"].as_i64()), (200, Some(node.auth.revision().0)));
    let bob = one().await;
    assert_eq!((&bob["identities"][0]["email"], &bob["identities"][0]["account"]["scopes"]), (&Value::Null, &json!(["x:1"])));
    assert!(!bob["expandedScopes"].as_array().unwrap().contains(&json!("assume:local-group:writers")));
    let refused = change(json!({ "groups": ["admins"], "scopes": ["x:1"] })).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "InsufficientScopes"));
    assert!(refused.message().contains("assume:local-group:admins"), "{}", refused.message());

    let act = async |action: &str| node.send(ours("POST", &format!("/people/local%2Fbob/{action}")).by(helper.clone())).await;
    for action in ["disable", "enable", "unlock", "sign-out"] {
        let done = act(action).await;
        assert_eq!(done.status, 200, "{action}: {}", done.json);
        assert_eq!(one().await["disabled"], json!(action == "disable"));
    }
    assert_eq!(one().await["sessions"], json!([]));
    let reset = act("reset-link").await;
    assert_eq!(reset.status, 200, "{}", reset.json);
    assert_eq!(one().await["identities"][0]["account"]["link"]["by"], "helper");
    node.login.use_account_link(&token_of(&reset), "another horse battery").await.unwrap();
    assert!(signs_in(&node, "bob", "another horse battery").await && !signs_in(&node, "bob", PASSWORD).await);

    let history = node.send(ours("GET", "/people/local%2Fbob/history?limit=3").by(helper.clone())).await.json;
    assert_eq!(history["history"][0]["by"], "helper");
    assert!(history["history"][0]["detail"]["scopes"]["added"].is_array(), "{history}");
    let next = history["continuationToken"].as_str().unwrap();
    let rest = node.send(ours("GET", &format!("/people/local%2Fbob/history?continuationToken={next}")).by(helper.clone())).await.json;
    let actions: Vec<_> = rest["history"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["disabled", "enabled", "unlocked", "signed out", "reset link made", "password set"]);

    let deleted = node.send(ours("DELETE", "/people/local%2Fbob").by(helper.clone())).await;
    assert_eq!((deleted.status.as_u16(), deleted.header("falconer-revision").is_some()), (204, true));
    assert_eq!(one().await["identities"][0]["account"]["deleted"], true);
    let list = node.send(ours("GET", "/people?q=BOB").by(helper.clone())).await.json;
    assert_eq!(list, json!({ "people": [] }));
    let repeated = invite(&node, &helper, "bob", json!({ "displayName": "Bob" })).await;
    assert_eq!((repeated.status.as_u16(), repeated.code()), (409, "RequestConflict"));
}

#[tokio::test]
async fn lists_are_paged_by_the_last_identity() {
    let node = node().await;
    let helper = helper(&node).await;
    for name in ["ann", "bob", "carl"] {
        let groups: &[&str] = if name == "bob" { &["writers"] } else { &[] };
        assert_eq!(invite(&node, &helper, name, json!({ "displayName": name, "groups": groups })).await.status, 200);
    }
    let mut seen = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let page = node.send(ours("GET", &format!("/people{query}")).by(helper.clone())).await.json;
        seen.extend(page["people"].as_array().unwrap().iter().map(|row| row["identity"].as_str().unwrap().to_owned()));
        match page["continuationToken"].as_str() {
            Some(token) => query = format!("?limit=1&continuationToken={token}"),
            None => break,
        }
    }
    assert_eq!(seen, ["local/ann", "local/bob", "local/carl"]);
    let found = async |query: &str| {
        let page = node.send(ours("GET", &format!("/people?{query}")).by(helper.clone())).await.json;
        page["people"].as_array().unwrap().iter().map(|row| row["displayName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("group=writers").await, ["bob"]);
    assert_eq!(found("q=LOCAL/A&disabled=false").await, ["ann"]);
    assert_eq!(found("disabled=true").await, [""; 0]);
}

#[tokio::test]
async fn a_grant_of_somebody_is_revoked() {
    let node = node().await;
    node.new_person().await;
    let helper = helper(&node).await;
    let (id, granted) = node.new_grant(&["x:1", "auth:current-scopes"]).await;
    let ann = node.send(ours("GET", "/people/local%2Fann").by(helper.clone())).await.json;
    assert_eq!(
        (ann["grants"][0]["id"].as_str(), ann["grants"][0]["target"].as_str()),
        (Some(id.as_str()), Some("https://notes.example.com"))
    );
    let path = format!("/people/local%2Fann/grants/{id}");
    assert_eq!(node.send(ours("DELETE", &path).by(helper.clone())).await.status, 204);
    assert_eq!(node.send(api("GET", "/scopes/current").by(granted)).await.status, 401);
    let repeated = node.send(ours("DELETE", &path).by(helper.clone())).await;
    assert_eq!((repeated.status.as_u16(), repeated.code()), (404, "ResourceNotFound"));
    let record = node.store.grant(&id).await.unwrap().unwrap();
    assert_eq!((record.identity.as_str(), record.revoked_by.as_deref()), (PERSON, Some("helper")));
}

#[tokio::test]
async fn what_can_not_be_is_refused_in_the_protocols_shape() {
    let node = node().await;
    let helper = helper(&node).await;
    invite(&node, &helper, "ann", json!({ "displayName": "Ann" })).await;
    let before = node.auth.revision();
    let name = json!({ "displayName": "New" });
    for (method, route, body, status, code) in [
        ("PUT", "/people/local%2FAnn", Some(name.clone()), 400, "InputError"),
        ("PUT", "/people/local%2Fa!2Fb", Some(name.clone()), 400, "InputError"),
        ("PUT", "/people/sso%2F42", Some(name.clone()), 400, "InputError"),
        ("PUT", "/people/local", Some(name.clone()), 400, "InvalidRequestArguments"),
        ("PUT", "/people/local%2Fann", Some(name.clone()), 409, "RequestConflict"),
        ("PUT", "/people/local%2Fnew", Some(json!({})), 400, "InputValidationError"),
        ("PUT", "/people/local%2Fnew", Some(json!({ "displayName": "New", "password": "x" })), 400, "InputValidationError"),
        ("PUT", "/people/local%2Fnew", Some(json!({ "displayName": "New", "groups": ["No Group"] })), 400, "InputValidationError"),
        ("PUT", "/people/local%2Fnew", Some(json!({ "displayName": "New", "scopes": ["*"] })), 400, "InputError"),
        ("PUT", "/people/local%2Fnew", Some(json!({ "displayName": "New", "email": "nobody" })), 400, "InputError"),
        ("POST", "/people/local%2Fann", Some(json!({})), 400, "InputValidationError"),
        ("POST", "/people/local%2Fann", Some(json!({ "scopes": ["a", "a"] })), 400, "InputValidationError"),
        ("POST", "/people/local%2Fann", Some(json!({ "scopes": ["assume:grant:x"] })), 400, "InputError"),
        ("POST", "/people/local%2Fann", Some(json!({ "displayName": null })), 400, "InputValidationError"),
        ("POST", "/people/local%2Fnobody", Some(json!({ "groups": [] })), 404, "ResourceNotFound"),
        ("GET", "/people/local%2Fnobody", None, 404, "ResourceNotFound"),
        ("GET", "/people?disabled=maybe", None, 400, "InvalidRequestArguments"),
        ("GET", "/people?limit=0", None, 400, "InvalidRequestArguments"),
        ("GET", "/people?continuationToken=~~", None, 400, "InputError"),
        ("GET", "/people/local%2Fann/history?continuationToken=~YWJj", None, 400, "InputError"),
        ("POST", "/people/local%2Fnobody/disable", None, 404, "ResourceNotFound"),
        ("POST", "/people/local%2Fnobody/enable", None, 404, "ResourceNotFound"),
        ("POST", "/people/local%2Fnobody/unlock", None, 404, "ResourceNotFound"),
        ("POST", "/people/local%2Fnobody/sign-out", None, 404, "ResourceNotFound"),
        ("POST", "/people/local%2Fnobody/reset-link", None, 404, "ResourceNotFound"),
        // There is no mail server here.
        ("POST", "/people/local%2Fann/reset-link?mail=true", None, 400, "InputError"),
        ("POST", "/people/local%2Fann/reset-link?mail=perhaps", None, 400, "InvalidRequestArguments"),
        ("PUT", "/people/local%2Fnew?mail=true", Some(json!({ "displayName": "x", "email": "x@example.com" })), 400, "InputError"),
        ("PUT", "/people/local%2Fnew?mail=", Some(json!({ "displayName": "x", "email": "x@example.com" })), 400, "InvalidRequestArguments"),
        ("DELETE", "/people/local%2Fnobody", None, 404, "ResourceNotFound"),
        ("DELETE", "/people/local%2Fann/grants/x", None, 400, "InvalidRequestArguments"),
        ("DELETE", "/people/local%2Fann/grants/AbCdEfGhIjKlMnOpQrStUv", None, 404, "ResourceNotFound"),
    ] {
        let mut call = ours(method, route).by(helper.clone());
        if let Some(body) = body {
            call = call.json(body);
        }
        let answer = node.send(call).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{method} {route}: {}", answer.json);
    }
    assert_eq!(node.auth.revision(), before, "nothing was changed");
    let unknown = node.send(ours("POST", "/providers/company/map").by(root()).json(json!({ "claims": { "sub": "1" } }))).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "ResourceNotFound"));
}

/// A client of a person is that person, as far as their own account is concerned.
#[tokio::test]
async fn a_client_of_somebody_is_no_way_around() {
    let node = node().await;
    node.new_person().await;
    let own = node.new_client("local/ann/tool", &["auth:*", "x:*"]).await;
    for (method, route) in [("POST", "disable"), ("POST", "reset-link")] {
        let answer = node.send(ours(method, &format!("/people/local%2Fann/{route}")).by(own.clone())).await;
        // The person of the tests has no account of their own: there is nothing to reset.
        assert_eq!(answer.status.as_u16(), if route == "disable" { 409 } else { 404 }, "{route}: {}", answer.json);
    }
    assert!(!node.auth.directory().person_of(PERSON).unwrap().record.disabled);
}
