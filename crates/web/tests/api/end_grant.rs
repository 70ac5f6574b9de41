//! Signing out with the credentials of a grant: the grant ends, and nothing else.

use serde_json::json;

use crate::support::{Call, Credentials, Node, api, call, client, node};

fn end_grant() -> Call {
    call("POST", "/api/falconer/v1/end-grant")
}

/// The word of the check of a request that they sign; none where it is allowed.
async fn refused_for(node: &Node, who: &Credentials) -> Option<String> {
    let mut signed = call("GET", "/").by(who.clone());
    signed.signed_for = Some(("notes.example.com".to_owned(), 443));
    let header = signed.request(node.now_ms()).headers()["authorization"].to_str().unwrap().to_owned();
    let request = json!({"method": "get", "resource": "/", "host": "notes.example.com", "port": 443, "authorization": header});
    let question = json!({"request": request, "required": {"AllOf": []}});
    let answer = node.send(call("POST", "/api/falconer/v1/check").json(question)).await;
    answer.json["reason"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn whoever_has_the_credentials_ends_their_grant() {
    let node = node().await;
    node.new_person().await;
    let (id, granted) = node.new_grant(&["auth:create-client:made", "x:1"]).await;
    let body = json!({"expires": "2030-01-01T00:00:00Z", "description": "", "scopes": ["x:1"]});
    let made = node.send(api("PUT", "/clients/made").by(granted.clone()).json(body)).await;
    let made = client("made", made.json["accessToken"].as_str().unwrap());
    assert_eq!((refused_for(&node, &granted).await, refused_for(&node, &made).await), (None, None));

    let answer = node.send(end_grant().by(granted.clone())).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.json, json!({"revision": node.auth.revision().0}));
    assert_eq!(answer.headers["falconer-revision"].to_str().unwrap(), node.auth.revision().0.to_string());

    // At the very next request, and for what was made with it.
    assert_eq!(refused_for(&node, &granted).await.as_deref(), Some("grant-revoked"));
    assert_eq!(refused_for(&node, &made).await.as_deref(), Some("grant-revoked"));
    let once_more = node.send(end_grant().by(granted.clone())).await;
    assert_eq!((once_more.status.as_u16(), once_more.json["code"].as_str()), (401, Some("AuthenticationFailed")));
    let record = node.store.grant(&id).await.unwrap().unwrap();
    assert_eq!((record.revoked_by.as_deref(), record.reason.as_deref()), (Some(granted.id.as_str()), Some("signed out")));
}

#[tokio::test]
async fn nobody_else_ends_it() {
    let node = node().await;
    node.new_person().await;
    let (_, granted) = node.new_grant(&["auth:create-client:made", "auth:current-scopes", "x:1"]).await;
    let body = json!({"expires": "2030-01-01T00:00:00Z", "description": "", "scopes": ["auth:current-scopes", "x:1"]});
    let made = node.send(api("PUT", "/clients/made").by(granted.clone()).json(body)).await;
    let made = client("made", made.json["accessToken"].as_str().unwrap());
    let robot = node.new_client("robot", &["*"]).await;
    let revision = node.auth.revision();
    for (who, status, code) in [
        (Some(made), 400, "InputError"),
        (Some(robot), 400, "InputError"),
        (Some(granted.clone().restricted_to(&["auth:current-scopes"])), 400, "InputError"),
        (Some(granted.clone().restricted_to(&["x:1"])), 403, "InsufficientScopes"),
        (Some(client(&granted.id, "not-the-token")), 401, "AuthenticationFailed"),
        (None, 403, "InsufficientScopes"),
    ] {
        let call = Call { auth: who, ..end_grant() };
        let answer = node.send(call).await;
        assert_eq!((answer.status.as_u16(), answer.json["code"].as_str()), (status, Some(code)), "{}", answer.json);
    }
    // A signed URL is for reading.
    let by_url = Call { bewit: Some((granted.clone(), 60)), ..end_grant() };
    assert_eq!(node.send(by_url).await.status, 401);
    assert_eq!(node.auth.revision(), revision, "nothing was written");
    assert_eq!(refused_for(&node, &granted).await, None);
}
