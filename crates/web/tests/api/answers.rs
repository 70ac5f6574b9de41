//! What the API's answers have around them and in them: revisions, headers, compression, pages, grants.

use crate::api::{furnished, refused, unknown};
use crate::support::methods::rows;
use crate::support::{api, call, node, root};
use falconer_wire::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn mutations_name_their_revision_and_reads_can_demand_it() {
    let node = furnished().await;
    let created = node.send(api("PUT", "/roles/r").by(root()).json(json!({ "description": "", "scopes": [] }))).await;
    let revision: i64 = created.header("falconer-revision").unwrap().parse().unwrap();
    assert_eq!(created.header("access-control-expose-headers"), Some("Falconer-Revision"));
    let deleted = node.send(api("DELETE", "/roles/r").by(root())).await;
    assert_eq!(deleted.status, 204);
    assert!(deleted.header("falconer-revision").unwrap().parse::<i64>().unwrap() > revision);
    let at_least = |value: &str| api("GET", "/ping").header("falconer-at-least", value);
    assert_eq!(node.send(at_least(&revision.to_string())).await.status, 200);
    assert_eq!(node.send(at_least("soon")).await.code(), "InvalidRequestArguments");
    assert_eq!(node.send(at_least("-1")).await.code(), "InvalidRequestArguments");
    let read = node.send(api("GET", "/roles/").by(root())).await;
    assert_eq!(read.header("falconer-revision"), None);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_does_not_come_is_503_after_a_second() {
    let node = furnished().await;
    let demanding = |path: &str| api("GET", path).header("falconer-at-least", &i64::MAX.to_string());
    // Strangers are not waited for: 150 of them kept all connections to the database busy.
    for (call, least_ms) in [(demanding("/ping"), 0), (demanding("/scopes/current").by(root()), 1000)] {
        let before = tokio::time::Instant::now();
        let late = node.send(call).await;
        assert_eq!((late.status.as_u16(), late.code()), (503, "ServiceUnavailable"));
        assert_eq!(late.header("retry-after"), Some("1"));
        let waited_ms = before.elapsed().as_millis();
        assert!((least_ms..=least_ms + 100).contains(&waited_ms), "{waited_ms}");
    }
}

#[tokio::test]
async fn an_etag_saves_the_body_but_not_for_verifications() {
    let node = furnished().await;
    let first = node.send(api("GET", "/__version__")).await;
    let etag = first.header("etag").unwrap().to_owned();
    assert!(etag.starts_with("W/\""));
    let repeated = node.send(api("GET", "/__version__").header("if-none-match", &format!("\"x\", {etag}"))).await;
    assert_eq!(repeated.status, 304);
    assert!(repeated.bytes.is_empty());
    assert_eq!(repeated.header("etag"), Some(etag.as_str()));
    assert_eq!(node.send(api("GET", "/__version__").header("if-none-match", "\"x\"")).await.status, 200);
    let body = json!({ "method": "get", "resource": "/x", "host": "h", "port": 80 });
    let verified = node.send(api("POST", "/authenticate-hawk").header("accept-encoding", "gzip").json(body)).await;
    assert_eq!(verified.json["status"], "no-auth");
    assert_eq!(verified.header("etag"), None);
    assert_eq!(verified.header("content-encoding"), None);
}

#[tokio::test]
async fn large_answers_are_compressed_where_taken() {
    let node = furnished().await;
    let scopes: Vec<String> = (0..200).map(|i| format!("scope:{i}")).collect();
    let expand = || api("POST", "/scopes/expand").by(root()).json(json!({ "scopes": scopes }));
    let plain = node.send(expand()).await;
    assert_eq!(plain.header("content-encoding"), None);
    for refusing in ["gzip;q=0", "br", "gzip;q=0, *", "identity"] {
        assert_eq!(node.send(expand().header("accept-encoding", refusing)).await.header("content-encoding"), None, "{refusing}");
    }
    let compressed = node.send(expand().header("accept-encoding", "deflate, gzip")).await;
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    assert_eq!(compressed.header("vary"), Some("Accept-Encoding"));
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(compressed.bytes.as_slice()), &mut text).unwrap();
    assert_eq!(text, plain.bytes);
    assert_eq!(plain.header("content-length"), Some(plain.bytes.len().to_string().as_str()));
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let node = furnished().await;
    let get = node.send(api("GET", "/roles/").by(root())).await;
    let head = node.send(api("HEAD", "/roles/").by(root())).await;
    assert_eq!((head.status, head.bytes.len()), (get.status, 0));
    for name in ["content-length", "etag", "content-type"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
}

#[tokio::test]
async fn forwarded_headers_count_only_from_trusted_proxies() {
    let root_client = || vec![crate::support::static_client(crate::support::ROOT, crate::support::ROOT_TOKEN, &["*"], "root")];
    let mut call = api("GET", "/scopes/current").by(root()).header("x-forwarded-proto", "https");
    call.host = "tc.example.com".to_owned();
    call.signed_for = Some(("tc.example.com".to_owned(), 443));
    let trusting = crate::support::node_with(root_client(), &["https://tc.example.com"], &["127.0.0.0/8"]).await;
    assert_eq!(trusting.send(call.clone()).await.status, 200);
    let wary = crate::support::node_with(root_client(), &["https://tc.example.com"], &["10.0.0.0/8"]).await;
    assert_eq!(wary.send(call).await.status, 401);
}

#[tokio::test]
async fn preflights_allow_our_header_when_asked() {
    let node = furnished().await;
    let ask = |headers: &str| api("OPTIONS", "/clients/x").header("access-control-request-headers", headers);
    let plain = node.send(ask("authorization")).await;
    assert_eq!(
        plain.header("access-control-allow-headers"),
        Some("X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control")
    );
    let ours = node.send(ask("authorization, Falconer-At-Least")).await;
    assert!(ours.header("access-control-allow-headers").unwrap().ends_with("Falconer-At-Least"));
}

#[tokio::test]
async fn ids_of_an_answer_are_fresh_or_the_callers() {
    let node = furnished().await;
    let one = node.send(api("GET", "/ping")).await;
    let two = node.send(api("GET", "/ping").header("x-taskcluster-trace-id", "trace-1")).await;
    assert_ne!(one.header("x-for-request-id"), two.header("x-for-request-id"));
    assert_ne!(one.header("x-for-request-id"), one.header("x-for-trace-id"));
    assert_eq!(two.header("x-for-trace-id"), Some("trace-1"));
    assert_eq!(one.header("x-for-trace-id").unwrap().len(), 36);
}

#[tokio::test]
async fn nothing_shows_a_token_but_create_and_reset() {
    let node = furnished().await;
    let who = node.new_client("secretive", &[]).await;
    for call in [
        api("GET", "/clients/secretive"),
        api("GET", "/clients/"),
        api("POST", "/clients/secretive/disable"),
        api("GET", "/audit/client/secretive"),
    ] {
        let answer = node.send(call.by(root())).await;
        assert_eq!(answer.status, 200);
        assert!(!String::from_utf8_lossy(&answer.bytes).contains(&who.token));
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("accessToken"));
    }
}

#[tokio::test]
async fn pages_of_every_listing_end() {
    let node = furnished().await;
    for i in 0..5 {
        node.new_client(&format!("c{i}"), &[]).await;
        node.new_role(&format!("r{i}"), &[]).await;
    }
    for (route, key) in [
        ("/clients/", "clients"),
        ("/roles2/", "roles"),
        ("/roleids/", "roleIds"),
        ("/audit/client/there", "auditHistory"),
        ("/clients/static%2Ftaskcluster%2Froot/audit", "auditHistory"),
    ] {
        let all = node.send(api("GET", route).by(root())).await.json[key].as_array().unwrap().clone();
        let mut paged: Vec<Value> = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..20 {
            let more = token.map(|t| format!("&continuationToken={t}")).unwrap_or_default();
            let page = node.send(api("GET", &format!("{route}?limit=2{more}")).by(root())).await;
            paged.extend(page.json[key].as_array().unwrap().iter().cloned());
            token = page.json["continuationToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        assert_eq!(token, None, "{route}");
        assert_eq!(paged, all, "{route}");
    }
}

#[tokio::test]
async fn granted_credentials_count_until_the_grant_is_revoked() {
    for row in rows().into_iter().filter(|r| r.scopes.iter().all(|s| s.starts_with("auth:") || s.starts_with("x:"))) {
        let node = furnished().await;
        node.new_person().await;
        let (_, narrow) = node.new_grant(&["x:1"]).await;
        if row.method != "currentScopes" {
            // The one scope that every grant has.
            refused(&node.send(row.call.clone().by(narrow)).await, row.method, "granted too little");
        }
        let node = furnished().await;
        node.new_person().await;
        let (id, granted) = node.new_grant(row.scopes).await;
        let answer = node.send(row.call.clone().by(granted.clone())).await;
        assert_eq!(answer.status, row.status, "{}: {}", row.method, answer.json);
        node.auth.revoke_grants(&[crate::support::PERSON], crate::support::PERSON, std::slice::from_ref(&id), "").await.unwrap();
        let message = format!("The grant {id} has been revoked");
        unknown(&node.send(row.call.by(granted)).await, &message, row.method, "revoked");
    }
}

#[tokio::test]
async fn a_grant_tells_its_target_who_the_person_is_and_nobody_else() {
    let node = furnished().await;
    node.new_person().await;
    let (_, granted) = node.new_grant(&["x:1"]).await;
    let verify = |host: &str| {
        let mut signed = crate::support::call("GET", "/note").by(granted.clone());
        signed.signed_for = Some((host.to_owned(), 443));
        let header = signed.request(node.now_ms()).headers()["authorization"].to_str().unwrap().to_owned();
        api("POST", "/authenticate-hawk")
            .json(json!({ "method": "get", "resource": "/note", "host": host, "port": 443, "authorization": header }))
    };
    let there = node.send(verify("notes.example.com")).await;
    assert_eq!(there.json["identity"]["id"], crate::support::PERSON, "{}", there.json);
    assert_eq!(there.json["identity"]["displayName"], "Ann");
    let keys: Vec<&String> = there.json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["status", "scheme", "expires", "scopes", "clientId", "identity"]);
    let elsewhere = node.send(verify("other.example.com")).await;
    assert_eq!(elsewhere.json["status"], "auth-success");
    assert_eq!(elsewhere.json.get("identity"), None);
}

/// Story: an export made lasting clients of those that end with a grant, because no listing said which they are.
#[tokio::test]
async fn a_listing_says_which_clients_end_with_a_grant() {
    let node = node().await;
    node.new_person().await;
    node.new_client("local/ann/lasting", &[]).await;
    let (grant, granted) = node.new_grant(&["auth:create-client:local/ann/*"]).await;
    let body = json!({ "expires": "2030-01-01T00:00:00Z", "description": "" });
    assert_eq!(node.send(api("PUT", "/clients/local%2Fann%2Ftool").by(granted).json(body)).await.status, 200);
    let list = node.send(call("GET", "/api/falconer/v1/clients/?prefix=local/").by(root())).await;
    let clients = list.json["clients"].as_array().unwrap();
    let grants: Vec<_> = clients.iter().map(|client| (client["clientId"].as_str().unwrap(), client.get("grant"))).collect();
    assert_eq!(grants, [("local/ann/lasting", None), ("local/ann/tool", Some(&json!(grant)))]);
    // But for that it is the protocol's listing, page by page.
    let plain = node.send(api("GET", "/clients/?prefix=local/").by(root())).await;
    let mut without = list.json.clone();
    without["clients"][1].as_object_mut().unwrap().remove("grant");
    assert_eq!(without, plain.json);
    let first = node.send(call("GET", "/api/falconer/v1/clients/?prefix=local/&limit=1").by(root())).await;
    let token = first.json["continuationToken"].as_str().unwrap();
    let second = node.send(call("GET", &format!("/api/falconer/v1/clients/?prefix=local/&continuationToken={token}")).by(root())).await;
    assert_eq!(second.json["clients"][0]["grant"], json!(grant));
    assert_eq!(second.json.get("continuationToken"), None);
}

/// What messages print as a regular expression is what decides, although the table carries it twice.
#[test]
fn patterns_are_what_they_print() {
    let lengths = [2, 3, 24, 25, 37, 38, 39, 62, 63, 64, 65, 66].map(|n| "a".repeat(n));
    let texts = [
        "",
        "A1b",
        "a-b",
        "a--b",
        "-ab",
        "ab-",
        "a.b",
        "a_b",
        "a~b%",
        "a b",
        "a/b",
        "a+b|c:d@e!",
        "\u{e9}",
        "a\n",
        "\n",
        "a\nb",
        "0",
        "12",
        "1.5",
        "client",
        "clients",
        "worker-pool",
        "read-only",
        "read-write",
        "read",
        "x-iam-role-compat-y",
        "\u{2028}",
        "\u{7f}",
        " ",
        "1abc",
    ];
    let samples: Vec<&str> = texts.iter().copied().chain(lengths.iter().map(String::as_str)).collect();
    let patterns = Method::all().flat_map(|m| m.params.iter().filter_map(|p| p.pattern).chain(m.query.iter().filter_map(|q| q.pattern)));
    for pattern in patterns {
        let schema = jsonschema::validator_for(&json!({ "pattern": pattern.source })).unwrap();
        for sample in &samples {
            assert_eq!((pattern.matches)(sample), schema.is_valid(&json!(sample)), "{pattern:?} {sample:?}");
        }
    }
}

#[tokio::test]
async fn our_own_api_is_answered_like_the_protocols_with_our_headers_open() {
    let node = furnished().await;
    let created = node.send(api("PUT", "/roles/r").json(json!({ "description": "", "scopes": ["a"] })).by(root())).await;
    let revision: i64 = created.header("falconer-revision").unwrap().parse().unwrap();
    let outcome = node.send(call("GET", "/API/falconer/v1/revision/").header("falconer-at-least", &revision.to_string())).await;
    assert_eq!((outcome.status.as_u16(), &outcome.json), (200, &json!({ "revision": revision })));
    let schema: Value = serde_json::from_str(Method::of(falconer_wire::Call::Revision).unwrap().output_schema().unwrap().json).unwrap();
    assert!(jsonschema::draft7::is_valid(&without_ids(schema), &outcome.json));
    let wrong = node.send(call("GET", "/api/falconer/v1/revision?x=1")).await;
    assert_eq!((wrong.status.as_u16(), wrong.code()), (400, "InvalidRequestArguments"));
    assert_eq!(wrong.json["requestInfo"]["method"], "revision");
    for answer in [&outcome, &wrong, &node.send(call("OPTIONS", "/api/falconer/v1/revision")).await] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-expose-headers"), Some("Falconer-Revision"));
        assert!(answer.header("access-control-allow-headers").unwrap().contains("Falconer-At-Least"));
    }
    for (method, path) in [("GET", "/api/falconer/v1/ping"), ("GET", "/api/falconer/v2/revision"), ("POST", "/api/falconer/v1/revision")] {
        let nothing = node.send(call(method, path)).await;
        assert_eq!((nothing.status.as_u16(), &nothing.json), (404, &json!({ "error": "Not found" })), "{path}");
    }
}

/// A published schema, without the addresses that only a running node can resolve.
fn without_ids(mut schema: Value) -> Value {
    let map = schema.as_object_mut().unwrap();
    map.remove("$id");
    map.remove("$schema");
    schema
}
