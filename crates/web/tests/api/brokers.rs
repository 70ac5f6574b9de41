//! Credentials for other systems: tokens for websocktunnels, checked by arithmetic of this test's own, and clouds that are not configured.

use crate::support::{Credentials, Node, ROOT, ROOT_TOKEN, START_MS, api, client, node, node_configured, root, static_client};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

const SECRET: &str = "a secret that the tunnel knows too";

async fn with_secret() -> Node {
    let clients = vec![static_client(ROOT, ROOT_TOKEN, &["*"], "root")];
    node_configured(clients, &[], &[], |settings| settings.websocktunnel_secret = Some(Secret::new(SECRET))).await
}

/// The claims of an HS256 token whose signature holds (RFC 7515, RFC 7519), without the library that made it.
fn claims_of(token: &str, secret: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT" }));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    mac.verify_slice(&decode(signature)?).ok()?;
    serde_json::from_slice(&decode(claims)?).ok()
}

#[test]
fn the_check_of_this_test_is_right() {
    // Made with Python's `hmac`.
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.Z4rGK-v6a2sWAUQdmALR3aYbXZviLr8j26a9ndx_bM4";
    assert_eq!(claims_of(token, "key"), Some(json!({ "a": 1 })));
    assert_eq!(claims_of(token, "other"), None);
}

#[tokio::test]
async fn a_websocktunnel_token_is_what_the_tunnel_expects() {
    let node = with_secret().await;
    let who = node.new_client("some/worker", &["auth:websocktunnel-token:aud-1/client.~%*"]).await;
    node.advance(789);
    let answer = node.send(api("GET", "/websocktunnel/aud-1/client.~%251").by(who)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let keys: Vec<&String> = answer.json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["wstClient", "wstAudience", "token", "expires"]);
    assert_eq!((answer.json["wstClient"].as_str(), answer.json["wstAudience"].as_str()), (Some("client.~%1"), Some("aud-1")));
    // Four days after 2026-08-01T12:00:00.789Z.
    assert_eq!(answer.json["expires"], "2026-08-05T12:00:00.789Z");
    let token = answer.json["token"].as_str().unwrap();
    let now = START_MS / 1000;
    let expected = json!({
        "tid": "client.~%1", "aud": "aud-1", "sub": "some/worker",
        "iat": now, "exp": now + 345_600, "nbf": now - 900, "iss": "taskcluster-auth",
    });
    assert_eq!(claims_of(token, SECRET), Some(expected));
    assert_eq!(claims_of(token, "a secret that the tunnel knows to"), None);
    assert!(!String::from_utf8_lossy(&answer.bytes).contains(SECRET));
}

#[tokio::test]
async fn a_websocktunnel_token_names_whoever_asked() {
    let node = with_secret().await;
    node.new_person().await;
    let (_, granted) = node.new_grant(&["auth:websocktunnel-token:aud/mine"]).await;
    let name = granted.id.clone();
    let answer = node.send(api("GET", "/websocktunnel/aud/mine").by(granted.clone())).await;
    assert_eq!(claims_of(answer.json["token"].as_str().unwrap(), SECRET).unwrap()["sub"], name.as_str());
    let other = node.send(api("GET", "/websocktunnel/aud/other").by(granted)).await;
    assert_eq!((other.status.as_u16(), other.code()), (403, "InsufficientScopes"));
    assert!(other.message().contains("auth:websocktunnel-token:aud/other"), "{}", other.message());
}

/// Story: a token that was asked for in the last minute of a grant went on for four days, and nobody can take it back.
#[tokio::test]
async fn a_websocktunnel_token_ends_with_the_credentials_that_it_was_asked_for_with() {
    let node = with_secret().await;
    node.new_person().await;
    let (_, granted) = node.new_grant(&["auth:*"]).await;
    let lasting = node.new_client("some/worker", &["auth:*"]).await;
    let ends = node.now_ms() + 86_400_000;
    let body = json!({ "expires": "2026-08-02T00:00:00.000Z", "description": "", "scopes": ["auth:*"] });
    let made = node.send(api("PUT", "/clients/some%2Fother").by(root()).json(body)).await;
    let short = client("some/other", made.json["accessToken"].as_str().unwrap());
    node.advance(3_600_789);
    let token = async |who: &Credentials| {
        let answer = node.send(api("GET", "/websocktunnel/aud/mine").by(who.clone())).await;
        let exp = claims_of(answer.json["token"].as_str().unwrap(), SECRET).unwrap()["exp"].as_i64().unwrap();
        (exp, answer.json["expires"].as_str().unwrap().to_owned())
    };
    assert_eq!(token(&granted).await, (ends / 1000, "2026-08-02T12:00:00.000Z".to_owned()));
    assert_eq!(token(&short).await, (ends / 1000 - 43_200, "2026-08-02T00:00:00.000Z".to_owned()));
    assert_eq!(token(&lasting).await, (node.now_ms() / 1000 + 345_600, "2026-08-05T13:00:00.789Z".to_owned()));
}

#[tokio::test]
async fn without_a_secret_there_are_no_tokens_and_strangers_do_not_learn_it() {
    let node = node().await;
    let answer = node.send(api("GET", "/websocktunnel/aud/c").by(root())).await;
    assert_eq!((answer.status.as_u16(), answer.message()), (404, "Tokens for websocktunnels are not configured here"));
    assert_eq!(node.send(api("GET", "/websocktunnel/aud/c")).await.status, 403);
}

/// The errors of a deployment without any cloud, in the order of the protocol: parameters, then the caller, then the account.
#[tokio::test]
async fn clouds_say_that_they_are_not_configured_to_whoever_may_ask() {
    let node = node().await;
    let permissions = |body: Value| json!({ "permissions": body, "repositories": ["Rep"] });
    let github = |body: Value| api("POST", "/github/app/Own/repo-token").json(body);
    for (call, scope, text) in [
        (api("GET", "/aws/s3/read-only/bkt/p/q"), "auth:aws-s3:read-write:bkt/p/*", "No credentials available for bucket bkt"),
        // Whether the prefix is fine is asked after the bucket: so nobody gets that far here.
        (api("GET", "/aws/s3/read-write/bkt/%2Fq"), "auth:aws-s3:read-write:bkt//q", "No credentials available for bucket bkt"),
        (
            api("GET", "/aws/s3/read-write/bkt/?format=iam-role-compat"),
            "auth:aws-s3:read-write:bkt/",
            "No credentials available for bucket bkt",
        ),
        (
            api("GET", "/azure/acct/tables?continuationToken=%00"),
            "auth:azure-table:list-tables:acct",
            "Account 'acct' not found, can't delegate access",
        ),
        (
            api("GET", "/azure/acct/table/Tab/read-write"),
            "auth:azure-table:read-write:acct/Tab",
            "Account 'acct' not found, can't delegate access",
        ),
        (
            api("GET", "/azure/acct/table/Tab/read-only"),
            "auth:azure-table:read-write:acct/Tab",
            "Account 'acct' not found, can't delegate access",
        ),
        (
            api("GET", "/azure/acct/containers"),
            "auth:azure-container:list-containers:acct",
            "Account 'acct' not found, can't delegate access.",
        ),
        (
            api("GET", "/azure/acct/containers/con-t/read-only"),
            "auth:azure-container:read-only:acct/con-t",
            "Account 'acct' not found, can't delegate access.",
        ),
        (api("GET", "/sentry/proj/dsn"), "auth:sentry:proj", "Sentry credentials not found"),
        (api("GET", "/gcp/credentials/p/sa%2Fx"), "auth:gcp:access-token:p/sa/x", "GCP credentials are not available"),
        (
            github(permissions(json!({ "workflows": "write" }))),
            "auth:github-repo-token:app/own/rep:workflows:write",
            "Application with name `app` is not configured",
        ),
    ] {
        let narrow = node.send(call.clone().by(root().restricted_to(&["auth:something-else"]))).await;
        assert_eq!((narrow.status.as_u16(), narrow.code()), (403, "InsufficientScopes"), "{}", call.path);
        let answer = node.send(call.clone().by(root().restricted_to(&[scope]))).await;
        assert_eq!((answer.status.as_u16(), answer.code(), answer.message()), (404, "ResourceNotFound", text), "{}", call.path);
    }
    // Read-only rights do not reach what writes.
    let reader: Credentials =
        root().restricted_to(&["auth:aws-s3:read-only:*", "auth:azure-table:read-only:*", "auth:azure-container:read-only:*"]);
    for path in ["/aws/s3/read-write/bkt/p", "/azure/acct/table/Tab/read-write", "/azure/acct/containers/cont/read-write"] {
        assert_eq!(node.send(api("GET", path).by(reader.clone())).await.status, 403, "{path}");
    }
    let accounts = node.send(api("GET", "/azure/accounts").by(root())).await;
    assert_eq!((accounts.status.as_u16(), &accounts.json), (200, &json!({ "accounts": [] })));
    // The scopes of githubRepoToken depend on the body, so that it is looked at first.
    for (body, complaint) in [
        (permissions(json!({})), "data/permissions must NOT have fewer than 1"),
        (permissions(json!({ "workflows": "read" })), "data/permissions/workflows must be equal to one of the allowed values"),
        (permissions(json!({ "contents": "admin" })), "data/permissions/contents must be equal to one of the allowed values"),
        (permissions(json!({ "nothing": "read" })), "data/permissions must NOT have additional properties: \"nothing\""),
        (json!({ "permissions": { "issues": "read" }, "repositories": [] }), "data/repositories must NOT have fewer than 1 items"),
        (json!({ "permissions": { "issues": "read" }, "repositories": ["a/b"] }), "data/repositories/0 must match pattern"),
        (
            json!({ "permissions": { "issues": "read" }, "repositories": vec!["r"; 501] }),
            "data/repositories must NOT have more than 500 items",
        ),
        (json!({ "permissions": { "issues": "read" } }), "data must have required property 'repositories'"),
    ] {
        let answer = node.send(github(body)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "InputValidationError"), "{}", answer.json);
        assert!(answer.message().contains(complaint), "{complaint}: {}", answer.message());
    }
}
