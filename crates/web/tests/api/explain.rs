//! Why not: each refusal has an id, and whoever may know is told what was compared.

use crate::support::{Credentials, Node, api, call, client, hash_of, node, node_configured, root, static_client};
use falconer_web::RequestLimits;
use serde_json::{Value, json};

const HOST: &str = "notes.example.com";

/// What `who` signed for this, as the service asks about it at another place.
fn question_of(node: &Node, who: &Credentials, signed: (&str, &str, &str, u16), seen: (&str, &str, &str, u16)) -> Value {
    let mut request = call(signed.0, signed.1).by(who.clone());
    request.signed_for = Some((signed.2.to_owned(), signed.3));
    let header = request.request(node.now_ms()).headers()["authorization"].to_str().unwrap().to_owned();
    json!({"method": seen.0.to_ascii_lowercase(), "resource": seen.1, "host": seen.2, "port": seen.3, "authorization": header})
}

async fn refused(node: &Node, request: &Value) -> String {
    let answer = node.send(call("POST", "/api/falconer/v1/check").json(json!({"request": request, "required": "x"}))).await;
    answer.json["id"].as_str().unwrap_or_else(|| panic!("{}", answer.json)).to_owned()
}

async fn explained(node: &Node, id: &str) -> Value {
    let answer = node.send(call("GET", &format!("/api/falconer/v1/explain/{id}")).by(root())).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let shape: falconer_wire::Explanation = serde_json::from_value(answer.json.clone()).unwrap();
    assert_eq!(serde_json::to_value(shape).unwrap(), answer.json, "the shape of the wire");
    answer.json
}

#[tokio::test]
async fn a_wrong_origin_path_or_method_is_found() {
    let node = node().await;
    let ann = node.new_client("ann", &["x"]).await;
    let base = ("GET", "/books/red?page=2", HOST, 8443_u16);
    for (signed, hint) in [
        (
            ("GET", "/books/red?page=2", HOST, 443),
            "The signature would match for notes.example.com:443; it was asked about for notes.example.com:8443",
        ),
        (("GET", "/books/red?page=2", "localhost", 8443), "would match for localhost:8443"),
        (("GET", "/books/red?page=2", "www.notes.example.com", 443), "would match for www.notes.example.com:443"),
        (("POST", "/books/red?page=2", HOST, 8443), "would match for the method POST"),
        (("GET", "/red?page=2", HOST, 8443), "would match for /red?page=... at notes.example.com:8443: a proxy"),
        (("GET", "/books/red", HOST, 443), "would match for /books/red at notes.example.com:443"),
        (("GET", "/books/red/?page=2", HOST, 8443), "would match for /books/red/?page=..."),
    ] {
        let explanation = explained(&node, &refused(&node, &question_of(&node, &ann, signed, base)).await).await;
        assert_eq!(
            (&explanation["reason"], &explanation["by"], &explanation["known"], &explanation["claimedId"]),
            (&json!("bad-mac"), &json!("check"), &json!(true), &json!("ann"))
        );
        assert_eq!(explanation["request"], json!({"method": "get", "resource": "/books/red?page=...", "host": HOST, "port": 8443}));
        assert!(explanation["hints"][0].as_str().unwrap().contains(hint), "{hint}: {}", explanation["hints"]);
        assert_eq!(explanation["wouldMatch"]["port"], signed.3);
    }
    let far = explained(&node, &refused(&node, &question_of(&node, &ann, ("GET", "/other", "elsewhere.example", 1), base)).await).await;
    assert!(far.get("wouldMatch").is_none() && far["hints"][0].as_str().unwrap().contains("another key"), "{far}");
    let wrong = explained(&node, &refused(&node, &question_of(&node, &client("ann", "x"), base, base)).await).await;
    assert!(wrong.get("wouldMatch").is_none());
    let unknown = explained(&node, &refused(&node, &question_of(&node, &client("nobody", "x"), base, base)).await).await;
    assert_eq!((&unknown["known"], &unknown["hints"][0]), (&json!(false), &json!("There is no client `nobody`.")));
}

#[tokio::test]
async fn the_clock_the_body_and_the_scopes_are_told() {
    let node = node().await;
    let ann = node.new_client("ann", &["y"]).await;
    node.new_role("readers", &["x", "z"]).await;
    let base = ("PUT", "/books/red", HOST, 443_u16);
    let late = Credentials { ts_seconds: Some(node.now_ms() / 1000 - 4000), ..ann.clone() };
    let explanation = explained(&node, &refused(&node, &question_of(&node, &late, base, base)).await).await;
    assert_eq!((&explanation["reason"], &explanation["clockOffsetSeconds"]), (&json!("stale-timestamp"), &json!(-4000)));
    assert_eq!(explanation["hints"][0], "The caller's clock is 4000 seconds behind this server's.");

    let (signed, arrived) = (hash_of("", b"a"), hash_of("", b"b"));
    let with_hash = Credentials { hash: Some(signed.clone()), ..ann.clone() };
    let question = json!({"request": question_of(&node, &with_hash, base, base), "required": "y", "payloadHash": arrived});
    let answer = node.send(call("POST", "/api/falconer/v1/check").json(question)).await;
    let outcome = explained(&node, answer.json["id"].as_str().unwrap()).await;
    assert_eq!(
        (&outcome["reason"], &outcome["signedHash"], &outcome["payloadHash"]),
        (&json!("payload-differs"), &json!(signed), &json!(arrived))
    );

    let reported = explained(&node, &refused(&node, &question_of(&node, &ann, base, base)).await).await;
    assert_eq!(
        (&reported["status"], &reported["reason"], &reported["clientId"]),
        (&json!("denied"), &json!("scopes-missing"), &json!("ann"))
    );
    assert_eq!((&reported["required"], &reported["missing"]), (&json!("x"), &json!("x")));
    assert_eq!(reported["roles"], json!([{"roleId": "readers", "scope": "x", "gives": "x"}]));
}

#[tokio::test]
async fn refusals_of_authenticate_hawk_and_of_our_own_api_have_ids_too() {
    let node = node().await;
    let ann = node.new_client("ann", &["y"]).await;
    let base = ("GET", "/x", HOST, 443_u16);
    let answer = node.send(api("POST", "/authenticate-hawk").json(question_of(&node, &ann, base, ("GET", "/x", HOST, 80)))).await;
    assert_eq!(answer.json, json!({"status": "auth-failed", "message": "Unauthorized: Bad mac"}), "as the protocol has it");
    let explanation = explained(&node, answer.header("falconer-refusal").unwrap()).await;
    assert_eq!((&explanation["by"], &explanation["wouldMatch"]["port"]), (&json!("authenticateHawk"), &json!(443)));
    let fine = node.send(api("POST", "/authenticate-hawk").json(question_of(&node, &ann, base, base))).await;
    assert_eq!(fine.header("falconer-refusal"), None);

    let denied = node.send(api("GET", "/clients/").by(ann.clone())).await;
    assert_eq!(denied.status, 403);
    let outcome = explained(&node, denied.header("falconer-refusal").unwrap()).await;
    assert_eq!((&outcome["by"], &outcome["missing"], &outcome["clientId"]), (&json!("api"), &json!("auth:list-clients"), &json!("ann")));
    let wrong = node.send(api("GET", "/clients/").by(client("ann", "x"))).await;
    assert_eq!((wrong.status.as_u16(), wrong.header("falconer-refusal").map(str::len)), (401, Some(22)));
    assert!(wrong.header("access-control-expose-headers").unwrap().contains("Falconer-Refusal"), "pages can read it");
    // A hostile service sends on what was signed for it.
    let mut sent_on = api("GET", "/clients/").by(root());
    sent_on.signed_for = Some((HOST.to_owned(), 443));
    sent_on.host = HOST.to_owned();
    let other = node.send(sent_on).await;
    assert_eq!(explained(&node, other.header("falconer-refusal").unwrap()).await["reason"], "other-host");
}

#[tokio::test]
async fn only_whoever_may_is_told_and_only_what_is_remembered() {
    let node =
        node_configured(vec![static_client(crate::support::ROOT, crate::support::ROOT_TOKEN, &["*"], "root")], &[], &[], |settings| {
            settings.remembered_refusals = 2;
        })
        .await;
    let base = ("GET", "/x", HOST, 443_u16);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(refused(&node, &question_of(&node, &client("nobody", "x"), base, base)).await);
    }
    let route = |id: &str| call("GET", &format!("/api/falconer/v1/explain/{id}"));
    let gone = node.send(route(&ids[0]).by(root())).await;
    assert_eq!((gone.status.as_u16(), gone.code()), (404, "ResourceNotFound"));
    assert_eq!(node.send(route(&ids[2]).by(root())).await.status, 200);
    let helper = node.new_client("helper", &["auth:explain:*"]).await;
    assert_eq!(node.send(route(&ids[2]).by(helper)).await.status, 200);
    let other = node.new_client("other", &["auth:explain:x*"]).await;
    assert_eq!(node.send(route(&ids[2]).by(other)).await.status, 403, "and that refusal is remembered too");
    assert_eq!(node.send(route("short").by(root())).await.status, 400);
}

/// With a MAC, and the right host and port, the request could be sent again.
#[tokio::test]
async fn no_secret_is_in_an_explanation() {
    let node = node().await;
    let ann = node.new_client("ann", &["y"]).await;
    let request = question_of(&node, &ann, ("GET", "/x?token=c2VjcmV0", HOST, 443), ("GET", "/x?token=c2VjcmV0", HOST, 80));
    let mac = request["authorization"].as_str().unwrap().split("mac=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let explanation = explained(&node, &refused(&node, &request).await).await.to_string();
    assert!(
        !explanation.contains(&mac)
            && !explanation.contains(&ann.token)
            && !explanation.contains("abcdef")
            && !explanation.contains("c2VjcmV0"),
        "{explanation}"
    );
    let bewit = json!({"method": "get", "resource": "/x?bewit=YW5uXDVcYWJjXA", "host": HOST, "port": 443});
    let answer = explained(&node, &refused(&node, &bewit).await).await.to_string();
    assert!(!answer.contains("YW5uXDVcYWJjXA"), "{answer}");
}

#[tokio::test]
async fn whole_lists_can_be_kept_for_some_services() {
    let mut node = node().await;
    let settings = falconer_web::WebSettings {
        public_origin: falconer_web::PublicOrigin::parse(&format!("http://{}:{}", crate::support::HOST, crate::support::PORT)).unwrap(),
        trusted_proxies: Vec::new(),
        version: falconer_web::VersionInfo::default(),
        limits: RequestLimits { lists_need_scope: true, ..RequestLimits::default() },
    };
    let random = std::sync::Arc::new(crate::support::TestRandom::new());
    node.api = falconer_web::api::Api::new(
        node.auth.clone(),
        node.login.clone(),
        node.grants.clone(),
        settings,
        random,
        std::sync::Arc::default(),
    );
    let ann = node.new_client("ann", &["y"]).await;
    let service = node.new_client("service", &["auth:whole-lists"]).await;
    let base = ("GET", "/x", HOST, 443_u16);
    let request = question_of(&node, &ann, base, base);
    let ask = || api("POST", "/authenticate-hawk").json(request.clone());
    let nobody = node.send(ask()).await;
    assert_eq!((nobody.status.as_u16(), nobody.code()), (403, "InsufficientScopes"));
    assert_eq!(node.send(ask().by(ann.clone())).await.status, 403);
    assert_eq!(node.send(ask().by(client("service", "x"))).await.status, 401);
    assert_eq!(node.send(ask().by(service)).await.json["status"], "auth-success");
    let check = call("POST", "/api/falconer/v1/check").json(json!({"request": request, "required": "y"}));
    assert_eq!(node.send(check).await.json["status"], "allowed", "everybody may ask whether");
}
