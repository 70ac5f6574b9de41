//! What happens to clients over time, as callers of the API see it: repeats, resets, uses, expiry and what the audit says of it.

use crate::support::{Node, PORT, api, client, node, root};
use falconer_auth::{HOUR_MS, MINUTE_MS};
use serde_json::{Value, json};

async fn shown(node: &Node, id: &str) -> Value {
    node.send(api("GET", &format!("/clients/{id}")).by(root())).await.json
}

async fn actions(node: &Node, kind: &str, id: &str) -> Vec<(String, String)> {
    let answer = node.send(api("GET", &format!("/audit/{kind}/{id}")).by(root())).await;
    let rows = answer.json["auditHistory"].as_array().unwrap();
    rows.iter().map(|row| (row["actionType"].as_str().unwrap().to_owned(), row["clientId"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn a_repeated_create_client_gives_the_original_for_a_quarter_of_an_hour() {
    let node = node().await;
    let body = json!({ "expires": "2030-01-01T00:00:00.123456Z", "description": "d", "scopes": ["b", "a"] });
    let create = |body: &Value| api("PUT", "/clients/c").by(root()).json(body.clone());
    let first = node.send(create(&body)).await;
    node.advance(15 * MINUTE_MS - 1);
    let repeated = node.send(create(&body)).await;
    assert_eq!((repeated.status.as_u16(), &repeated.json), (200, &first.json), "token and all times are the original's");
    // deleteOnExpiration is not compared; everything else is, the order of the scopes too.
    let with = |key: &str, value: Value| {
        let mut body = body.clone();
        body[key] = value;
        body
    };
    assert_eq!(node.send(create(&with("deleteOnExpiration", json!(true)))).await.json, first.json);
    for other in [with("scopes", json!(["a", "b"])), with("description", json!("e")), with("expires", json!("2030-01-01T00:00:00.123457Z"))]
    {
        let refused = node.send(create(&other)).await;
        assert_eq!((refused.status.as_u16(), refused.code(), refused.message()), (409, "RequestConflict", "Client already exists"));
    }
    node.advance(1);
    assert_eq!(node.send(create(&body)).await.status, 409, "the quarter of an hour is over");
    let root = crate::support::ROOT.to_owned();
    assert_eq!(actions(&node, "client", "c").await, vec![("created".to_owned(), root); 3], "each repeat is in the audit");
}

#[tokio::test]
async fn a_repeated_create_role_gives_the_original_for_ever() {
    let node = node().await;
    let create =
        |scopes: Value, description: &str| api("PUT", "/roles/r").by(root()).json(json!({ "description": description, "scopes": scopes }));
    let first = node.send(create(json!(["b", "a"]), "d")).await;
    node.advance(400 * 24 * HOUR_MS);
    let repeated = node.send(create(json!(["a", "b"]), "d")).await;
    assert_eq!((repeated.status.as_u16(), &repeated.json), (200, &first.json));
    for refused in [create(json!(["a"]), "d"), create(json!(["a", "b"]), "e")] {
        let answer = node.send(refused).await;
        assert_eq!((answer.status.as_u16(), answer.message()), (409, "Role with roleId 'r' already exists"));
    }
}

#[tokio::test]
async fn disabling_enabling_and_deleting_repeat_without_harm() {
    let node = node().await;
    node.new_client("c", &[]).await;
    for (verb, route, status, disabled) in [
        ("POST", "/clients/c/disable", 200, json!(true)),
        ("POST", "/clients/c/disable", 200, json!(true)),
        ("POST", "/clients/c/enable", 200, json!(false)),
        ("POST", "/clients/c/enable", 200, json!(false)),
        ("DELETE", "/clients/c", 204, Value::Null),
        ("DELETE", "/clients/c", 204, Value::Null),
    ] {
        node.advance(1000);
        let answer = node.send(api(verb, route).by(root())).await;
        assert_eq!((answer.status.as_u16(), &answer.json["disabled"]), (status, &disabled), "{verb} {route}");
    }
    assert_eq!(node.send(api("DELETE", "/roles/none").by(root())).await.status, 204);
    let history: Vec<String> = actions(&node, "client", "c").await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(history, ["created", "client disabled", "client disabled", "client enabled", "client enabled", "deleted", "deleted"]);
    assert_eq!(actions(&node, "role", "none").await, [("deleted".to_owned(), crate::support::ROOT.to_owned())]);
}

#[tokio::test]
async fn a_reset_gives_a_fresh_token_and_ends_the_old_one_at_once() {
    let node = node().await;
    let old = node.new_client("c", &["auth:current-scopes"]).await;
    let before = shown(&node, "c").await;
    node.advance(5000);
    let answer = node.send(api("POST", "/clients/c/reset").by(root())).await;
    assert_eq!(answer.status, 200);
    let token = answer.json["accessToken"].as_str().unwrap().to_owned();
    assert_eq!((token.len(), answer.json.as_object().unwrap().keys().next_back().unwrap().as_str()), (44, "accessToken"));
    assert_ne!(token, old.token);
    let after = shown(&node, "c").await;
    for (key, changes) in
        [("created", false), ("lastDateUsed", false), ("expires", false), ("scopes", false), ("lastModified", true), ("lastRotated", true)]
    {
        assert_eq!(before[key] != after[key], changes, "{key}");
    }
    let current = |who| api("GET", "/scopes/current").by(who);
    let refused = node.send(current(old)).await;
    assert_eq!((refused.status.as_u16(), refused.message()), (401, "Unauthorized: Bad mac"));
    assert_eq!(node.send(current(client("c", &token))).await.status, 200);
    // Not idempotent: each reset is another token.
    let next = node.send(api("POST", "/clients/c/reset").by(root())).await;
    assert_ne!(next.json["accessToken"].as_str(), Some(token.as_str()));
    let history: Vec<String> = actions(&node, "client", "c").await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(history, ["created", "access token reset", "access token reset"]);
    let missing = node.send(api("POST", "/clients/nope/reset").by(root())).await;
    assert_eq!((missing.status.as_u16(), missing.message()), (404, "Client not found"));
    let fixed = node.send(api("POST", "/clients/static%2Fx/reset").by(root())).await;
    assert_eq!((fixed.status.as_u16(), fixed.code()), (400, "InputError"));
}

#[tokio::test]
async fn the_last_use_is_refreshed_at_most_every_six_hours() {
    let node = node().await;
    let who = node.new_client("c", &["auth:current-scopes"]).await;
    let last = async || shown(&node, "c").await["lastDateUsed"].as_str().unwrap().to_owned();
    let use_it = async || assert_eq!(node.send(api("GET", "/scopes/current").by(who.clone())).await.status, 200);
    assert_eq!(last().await, "2026-08-01T12:00:00.000Z");
    node.advance(6 * HOUR_MS);
    use_it().await;
    assert_eq!(last().await, "2026-08-01T12:00:00.000Z", "six hours are not more than six hours");
    node.advance(1);
    use_it().await;
    assert_eq!(last().await, "2026-08-01T18:00:00.001Z");
    node.advance(HOUR_MS);
    use_it().await;
    assert_eq!(last().await, "2026-08-01T18:00:00.001Z");
    // Credentials that fail are no use, a verification for another service is one.
    node.advance(6 * HOUR_MS);
    assert_eq!(node.send(api("GET", "/scopes/current").by(client("c", "not-the-token"))).await.status, 401);
    assert_eq!(last().await, "2026-08-01T18:00:00.001Z");
    let mut signed = crate::support::call("GET", "/x").by(who.clone());
    signed.signed_for = Some(("h.example".to_owned(), PORT));
    let header = signed.request(node.now_ms()).headers()["authorization"].to_str().unwrap().to_owned();
    let body = json!({ "method": "get", "resource": "/x", "host": "h.example", "port": PORT, "authorization": header });
    assert_eq!(node.send(api("POST", "/authenticate-hawk").json(body)).await.json["status"], "auth-success");
    assert_eq!(last().await, "2026-08-02T01:00:00.001Z");
    node.auth.flush_uses().await.unwrap();
    assert_eq!(last().await, "2026-08-02T01:00:00.001Z", "and it is still so when it has been written");
}

#[tokio::test]
async fn expired_clients_go_in_bounded_steps_and_only_those_that_wish_it() {
    let node = node().await;
    let make = |id: String, expires: &str, wish: bool| {
        api("PUT", &format!("/clients/{id}")).by(root()).json(json!({
            "expires": expires, "description": "", "scopes": ["auth:current-scopes"], "deleteOnExpiration": wish,
        }))
    };
    for i in 0..7 {
        assert_eq!(node.send(make(format!("goes-{i}"), "2026-08-01T13:00:00Z", true)).await.status, 200);
    }
    let stays = node.send(make("stays".to_owned(), "2026-08-01T13:00:00Z", false)).await;
    assert_eq!(node.send(make("later".to_owned(), "2026-08-02T13:00:00Z", true)).await.status, 200);
    assert_eq!(node.auth.delete_expired_clients(3).await, Ok(0));
    node.advance(HOUR_MS + 1);
    // Expiry is checked at use: the purge has not run yet, and the credentials are worth nothing all the same.
    let token = stays.json["accessToken"].as_str().unwrap().to_owned();
    for id in ["goes-0", "stays"] {
        let who = if id == "stays" { client(id, &token) } else { client(id, "whatever") };
        assert_eq!(node.send(api("GET", "/scopes/current").by(who)).await.status, 401, "{id}");
    }
    assert_eq!(shown(&node, "goes-0").await["clientId"], "goes-0", "visible until it goes");
    // One of them is given more time before its turn comes.
    let more = json!({ "expires": "2026-09-01T00:00:00Z", "description": "", "deleteOnExpiration": true });
    assert_eq!(node.send(api("POST", "/clients/goes-6").by(root()).json(more)).await.status, 200);
    assert_eq!(node.auth.delete_expired_clients(4).await, Ok(4));
    assert_eq!(node.auth.delete_expired_clients(4).await, Ok(2));
    assert_eq!(node.auth.delete_expired_clients(4).await, Ok(0));
    let list = node.send(api("GET", "/clients/?prefix=goes-").by(root())).await;
    let left: Vec<&str> = list.json["clients"].as_array().unwrap().iter().map(|c| c["clientId"].as_str().unwrap()).collect();
    assert_eq!(left, ["goes-6"]);
    for id in ["stays", "later"] {
        assert_eq!(shown(&node, id).await["clientId"], id);
    }
    let last = actions(&node, "client", "goes-0").await.pop().unwrap();
    assert_eq!(last, ("expired".to_owned(), "static/taskcluster/auth".to_owned()));
}

#[tokio::test]
async fn listings_by_prefix_page_without_gaps_and_reject_tokens_that_are_none() {
    let node = node().await;
    for id in ["a", "a/1", "a/2", "a/3", "a0", "b/1"] {
        node.new_client(&id.replace("0", "-0"), &[]).await;
    }
    let ids = |answer: &crate::support::Answer| -> Vec<String> {
        answer.json["clients"].as_array().unwrap().iter().map(|c| c["clientId"].as_str().unwrap().to_owned()).collect()
    };
    let list = async |query: &str| node.send(api("GET", &format!("/clients/?{query}")).by(root())).await;
    assert_eq!(ids(&list("prefix=a%2F").await), ["a/1", "a/2", "a/3"]);
    assert_eq!(ids(&list("prefix=a").await), ["a", "a-0", "a/1", "a/2", "a/3"]);
    assert_eq!(ids(&list("prefix=nothing").await), [""; 0]);
    let first = list("prefix=a%2F&limit=2").await;
    assert_eq!(ids(&first), ["a/1", "a/2"]);
    let token = first.json["continuationToken"].as_str().unwrap().to_owned();
    let second = list(&format!("prefix=a%2F&limit=2&continuationToken={token}")).await;
    assert_eq!((ids(&second), second.json.get("continuationToken")), (vec!["a/3".to_owned()], None));
    for (query, code, text) in [
        ("continuationToken=a-b", "InputError", "Invalid continuation token"),
        ("continuationToken=", "InvalidRequestArguments", ""),
        ("limit=0", "InvalidRequestArguments", ""),
        ("limit=-1", "InvalidRequestArguments", ""),
        ("prefix=a%20b", "InvalidRequestArguments", ""),
        ("prefix=a&prefix=b", "InvalidRequestArguments", "Query-string parameter: prefix must be a string!"),
    ] {
        let answer = list(query).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, code), "{query}");
        assert!(answer.message().contains(text), "{query}: {}", answer.message());
    }
    assert_eq!(ids(&list("limit=99999999999999999999&prefix=a").await).len(), 5, "a large limit is cut silently");
}
