//! Listings while others change what is listed.

use crate::support::{api, node, root};
use falconer_wire::continuation::Scheme;
use serde_json::Value;

fn ids(answer: &Value) -> Vec<String> {
    let list = ["clients", "roles", "roleIds"].iter().find_map(|name| answer[*name].as_array()).unwrap();
    let id = |record: &Value| record["clientId"].as_str().or(record["roleId"].as_str()).or(record.as_str()).map(str::to_owned);
    list.iter().map(|record| id(record).unwrap()).collect()
}

/// Story: 5 of 60 records that nobody had touched were lost from a listing while others before them were deleted, because a page began at a row's number.
#[tokio::test]
async fn whatever_comes_and_goes_what_stays_is_listed_exactly_once() {
    for (route, kind) in [("/clients/", "clients"), ("/roles2/", "roles"), ("/roleids/", "roles")] {
        let node = node().await;
        let put = async |id: &str| {
            let path = format!("/{kind}/{id}");
            let body = match kind {
                "clients" => serde_json::json!({"expires": "2030-01-01T00:00:00Z", "description": ""}),
                _ => serde_json::json!({"description": "", "scopes": []}),
            };
            assert_eq!(node.send(api("PUT", &path).by(root()).json(body)).await.status, 200);
        };
        for at in 0..30 {
            put(&format!("r{at:02}-stays")).await;
            put(&format!("r{at:02}-goes")).await;
        }
        let (mut seen, mut token, mut gone) = (Vec::new(), None::<String>, 0);
        loop {
            let after = token.map(|token| format!("&continuationToken={token}")).unwrap_or_default();
            let answer = node.send(api("GET", &format!("{route}?limit=7{after}")).by(root())).await;
            assert_eq!(answer.status, 200, "{}", answer.json);
            seen.extend(ids(&answer.json));
            // Between two pages records before and behind go, the one that the token names among them, and others come.
            for _ in 0..3 {
                if gone < 30 {
                    let path = format!("/{kind}/r{gone:02}-goes");
                    assert_eq!(node.send(api("DELETE", &path).by(root())).await.status, 204);
                    gone += 1;
                }
            }
            put(&format!("a{gone:02}-new")).await;
            token = answer.json["continuationToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        let stayed: Vec<String> = seen.into_iter().filter(|id| id.ends_with("-stays")).collect();
        assert_eq!(stayed, (0..30).map(|at| format!("r{at:02}-stays")).collect::<Vec<_>>(), "{route}");
    }
}

/// Story: pages of the audit began at a row's number, and what retention removed between two pages was missing from the second.
#[tokio::test]
async fn retention_takes_nothing_else_from_a_history() {
    let node = node().await;
    let body = |description: usize| serde_json::json!({"description": description.to_string(), "scopes": []});
    for change in 0..10 {
        node.advance(1000);
        let method = if change == 0 { "PUT" } else { "POST" };
        assert_eq!(node.send(api(method, "/roles/r").by(root()).json(body(change))).await.status, 200);
    }
    let (mut seen, mut token) = (0, None::<String>);
    loop {
        let after = token.map(|token| format!("&continuationToken={token}")).unwrap_or_default();
        let answer = node.send(api("GET", &format!("/audit/role/r?limit=4{after}")).by(root())).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        seen += answer.json["auditHistory"].as_array().unwrap().len();
        node.store.prune_audit(node.now_ms() - 5000, 3).await.unwrap();
        token = answer.json["continuationToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, 10);
    // Tokens of the protocol, which are offsets, are still taken.
    let left = node.send(api("GET", "/audit/role/r").by(root())).await.json["auditHistory"].as_array().unwrap().len();
    let second = Scheme::ClientsAndAudit.encode(1);
    let answer = node.send(api("GET", &format!("/audit/role/r?continuationToken={second}")).by(root())).await;
    assert_eq!(answer.json["auditHistory"].as_array().unwrap().len(), left - 1);
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let node = node().await;
    for route in ["/clients/?limit=1&continuationToken=~!", "/roles2/?limit=1&continuationToken=~_w", "/audit/role/r?continuationToken=~YQ"]
    {
        assert_eq!(node.send(api("GET", route).by(root())).await.code(), "InputError", "{route}");
    }
}
