//! The client against a server that records what arrives and answers from a script; signatures are checked by the verifier of Falconer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../falconer/tests/support/ports.rs"]
mod ports;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::get;
use falconer_client::{AccessToken, Call, Client, Credentials, Error, Exchange, GrantEnd, Retry};
use falconer_credentials::{Issuer, RequestParts, evaluate, payload, read};
use falconer_scopes::ScopeSet;
use falconer_wire::ClientRequest;
use http::{Method, StatusCode, header};
use ports::HeldPort;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const TOKEN: &str = "a-token-of-forty-four-characters-0123456789ab";

#[derive(Clone, Debug)]
struct Arrived {
    method: String,
    resource: String,
    authorization: Option<String>,
    content_type: Option<String>,
    body: Bytes,
}

#[derive(Clone, Default)]
struct Server {
    port: u16,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    script: Arc<Mutex<VecDeque<(u16, String)>>>,
    /// What its clock is ahead of this computer's, and how often it was asked for its time.
    ahead_seconds: Arc<Mutex<i64>>,
    pings: Arc<Mutex<usize>>,
}

impl Server {
    async fn start(script: &[(u16, &str)]) -> Server {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let script = Arc::new(Mutex::new(script.iter().map(|(status, body)| (*status, (*body).to_owned())).collect()));
        let server = Server { port: listener.local_addr().unwrap().port(), script, ..Server::default() };
        let state = server.clone();
        let clock = server.clone();
        let ping = async move || {
            *clock.pings.lock().unwrap() += 1;
            let seconds = falconer_client::system::now_ms() / 1000 + *clock.ahead_seconds.lock().unwrap();
            let there = std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap());
            [(header::DATE, httpdate::fmt_http_date(there))]
        };
        let app = Router::new().route("/api/auth/v1/ping", get(ping)).fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let text = |name| parts.headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap().to_owned());
            let arrived = Arrived {
                method: parts.method.to_string(),
                resource: parts.uri.to_string(),
                authorization: text(header::AUTHORIZATION),
                content_type: text(header::CONTENT_TYPE),
                body: to_bytes(body, 1 << 20).await.unwrap(),
            };
            state.arrived.lock().unwrap().push(arrived);
            let (status, body) = state.script.lock().unwrap().pop_front().expect("more calls than the script has answers");
            let location = [(header::LOCATION, "/elsewhere")];
            (StatusCode::from_u16(status).unwrap(), location, body).into_response()
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> Client {
        Client::new(&format!("{}//", self.root())).unwrap().with_retry(Retry { first_delay: Duration::ZERO, ..Retry::default() })
    }

    fn signed(&self) -> Client {
        self.client().with_credentials(Credentials::new("t/one", TOKEN))
    }

    fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// What the verifier makes of a request: clientId, scopes, payload hash.
    fn verify(&self, arrived: &Arrived, scopes: &[&str]) -> Result<(String, ScopeSet, Option<String>), String> {
        let parts = RequestParts {
            method: &arrived.method,
            resource: &arrived.resource,
            host: "127.0.0.1",
            port: self.port,
            authorization: arrived.authorization.as_deref(),
        };
        let token = AccessToken::new(TOKEN.to_owned());
        let signed = read(&parts).map_err(|failure| failure.to_string())?.ok_or("no credentials")?;
        assert_eq!(signed.key_owner(), "t/one");
        let authentic = signed.check_mac(Some(&token)).map_err(|failure| failure.to_string())?;
        let scopes = ScopeSet::new(scopes);
        let revoked = falconer_credentials::Revoked::default();
        let issuer = Issuer { client_id: "t/one", token: &token, expires_ms: i64::MAX, disabled: false, scopes: &scopes, revoked };
        let verified = evaluate(&authentic, &issuer, falconer_client::system::now_ms(), &|scopes| ScopeSet::new(scopes))
            .map_err(|failure| failure.to_string())?;
        Ok((verified.client_id, verified.scopes, verified.hash))
    }
}

fn client_json(id: &str) -> Value {
    json!({
        "clientId": id, "description": "d", "expires": "2030-01-01T00:00:00.000Z", "created": "2026-01-01T00:00:00.000Z", "lastModified": "2026-01-01T00:00:00.000Z",
        "lastDateUsed": "2026-01-01T00:00:00.000Z", "lastRotated": "2026-01-01T00:00:00.000Z", "deleteOnExpiration": false, "scopes": [], "expandedScopes": [], "disabled": false,
    })
}

#[tokio::test]
async fn the_query_is_signed_and_pages_are_followed() {
    let first = json!({"clients": [client_json("t/a"), client_json("t/b")], "continuationToken": "next/1"}).to_string();
    let second = json!({"clients": [client_json("t/c")]}).to_string();
    let server = Server::start(&[(200, &first), (200, &second)]).await;
    let all = server.signed().list_all_clients(Some("t/")).await.unwrap();
    assert_eq!(all.iter().map(|client| client.client_id.as_str()).collect::<Vec<_>>(), ["t/a", "t/b", "t/c"]);
    let arrived = server.arrived();
    assert_eq!(arrived[0].resource, "/api/auth/v1/clients/?prefix=t%2F");
    assert_eq!(arrived[1].resource, "/api/auth/v1/clients/?continuationToken=next%2F1&prefix=t%2F");
    for request in &arrived {
        assert_eq!(server.verify(request, &[]).unwrap().0, "t/one");
        assert_eq!((request.content_type.as_deref(), request.body.len()), (None, 0));
    }
}

#[tokio::test]
async fn a_body_is_signed_too() {
    let mut answer = client_json("a/b|c");
    answer["accessToken"] = "the-new-token".into();
    let server = Server::start(&[(200, &answer.to_string())]).await;
    let wish = ClientRequest {
        expires: "2030-01-01T00:00:00.000Z".to_owned(),
        description: "d".to_owned(),
        scopes: Some(vec!["s".to_owned()]),
        delete_on_expiration: false,
    };
    let created = server.signed().create_client("a/b|c", &wish).await.unwrap();
    assert_eq!((created.client.client_id.as_str(), created.access_token.as_str()), ("a/b|c", "the-new-token"));
    let request = &server.arrived()[0];
    assert_eq!((request.method.as_str(), request.resource.as_str()), ("PUT", "/api/auth/v1/clients/a%2Fb%7Cc"));
    assert_eq!(server.verify(request, &[]).unwrap().2, Some(payload::hash("application/json", &request.body)));
    assert_eq!(request.content_type.as_deref(), Some("application/json"));
}

/// The cases that all signers share. Story: somebody in between could add a body to a POST that had none, and its signature held.
#[tokio::test]
async fn what_is_signed_of_a_body_is_the_same_everywhere() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../vectors/ours/signed-bodies.json")).unwrap();
    assert!(cases.len() >= 12);
    for case in cases {
        let server = Server::start(&[(200, "{}")]).await;
        let text = |name: &str| case["input"][name].as_str().filter(|text| !text.is_empty());
        let headers = text("contentType").map(|kind| (header::CONTENT_TYPE, kind.parse().unwrap())).into_iter().collect();
        let (method, url) = (text("method").unwrap().parse().unwrap(), format!("{}/x", server.root()));
        let exchange = Exchange { method, url, headers, body: text("body").map(|body| body.as_bytes().to_vec()) };
        server.signed().exchange(&exchange).await.unwrap();
        let authorization = server.arrived().remove(0).authorization.unwrap();
        let hash = authorization.split("hash=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(hash, case["expected"]["hash"].as_str(), "{}", case["name"]);
    }
}

#[tokio::test]
async fn temporary_credentials_and_authorized_scopes() {
    let scopes = r#"{"scopes":[]}"#;
    let server = Server::start(&[(200, scopes), (200, scopes), (200, scopes)]).await;
    let permanent = Credentials::new("t/one", TOKEN);
    let named = permanent.temporary(Some("t/phone"), &["a:*", "b"], 60_000).unwrap();
    let unnamed = permanent.temporary::<&str>(None, &[], 60_000).unwrap();
    assert!(named.temporary::<&str>(None, &[], 1).unwrap_err().to_string().contains("temporary credentials cannot"));
    assert!(permanent.temporary::<&str>(Some("t/one"), &[], 1).is_err());
    assert!(permanent.temporary::<&str>(None, &[], i64::MAX).is_err());

    server.client().with_credentials(named.clone()).current_scopes().await.unwrap();
    server.client().with_credentials(named).with_authorized_scopes(["a:1"]).current_scopes().await.unwrap();
    server.client().with_credentials(unnamed).current_scopes().await.unwrap();
    let held_scopes = ["a:*", "b", "c", "auth:create-client:t/*"];
    let verified: Vec<_> = server.arrived().iter().map(|request| server.verify(request, &held_scopes).unwrap()).collect();
    let without_anonymous = |set: &ScopeSet| set.iter().filter(|scope| *scope != "assume:anonymous").map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((verified[0].0.as_str(), without_anonymous(&verified[0].1)), ("t/phone", vec!["a:*".to_owned(), "b".to_owned()]));
    assert_eq!(without_anonymous(&verified[1].1), ["a:1"]);
    assert_eq!((verified[2].0.as_str(), without_anonymous(&verified[2].1).len()), ("t/one", 0));
}

#[tokio::test]
async fn signed_urls_work_for_anybody_until_they_end() {
    let server = Server::start(&[(200, "1"), (200, "2")]).await;
    for url in ["/a", "/a?x=1"] {
        let url = server.signed().signed_url(&format!("{}{url}#fragment", server.root()), 60).unwrap();
        server.client().fetch(&Method::GET, &url, None).await.unwrap();
    }
    let arrived = server.arrived();
    assert!(arrived[0].resource.starts_with("/a?bewit=") && arrived[1].resource.starts_with("/a?x=1&bewit="));
    for request in &arrived {
        assert!(request.authorization.is_none());
        assert_eq!(server.verify(request, &[]).unwrap().0, "t/one");
    }
    assert!(server.client().signed_url("http://h.example/", 1).is_err());
}

#[tokio::test]
async fn only_5xx_is_tried_again_and_each_try_is_signed_anew() {
    let server = Server::start(&[(500, "<h1>"), (503, "{}"), (200, r#"{"scopes":["a"]}"#)]).await;
    assert_eq!(server.signed().current_scopes().await.unwrap().scopes, ["a"]);
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 3);
    assert_ne!(arrived[0].authorization, arrived[1].authorization);

    let server = Server::start(&[(500, ""); 5]).await;
    assert_eq!(server.client().current_scopes().await.unwrap_err().status(), Some(500));
    assert_eq!(server.arrived().len(), 5);

    let refusal = r#"{"code":"InsufficientScopes","message":"No.\n\n---\n\n* method: x"}"#;
    for (status, body, code, message) in [
        (403, refusal, "InsufficientScopes", "No."),
        (429, "slow", "UnknownError", "The server refused the call (status 429)"),
        (303, "", "UnknownError", "Unexpected redirect (status 303) to /elsewhere"),
    ] {
        let server = Server::start(&[(status, body)]).await;
        let error = server.client().current_scopes().await.unwrap_err();
        assert_eq!((error.status(), error.code(), error.to_string().as_str()), (Some(status), Some(code), message));
    }
}

/// A client whose computer's clock is an hour off was refused until somebody set it: the server never told its time, and no client asked.
#[tokio::test]
async fn the_clock_is_learned_from_the_root_url_and_the_call_made_once_more() {
    const NO: &str = r#"{"code":"AuthenticationFailed","message":"Unauthorized: Stale timestamp"}"#;
    let ts = |arrived: &Arrived| {
        let header = arrived.authorization.clone().unwrap();
        header.split("ts=\"").nth(1).unwrap().split('"').next().unwrap().parse::<i64>().unwrap()
    };
    for ahead in [3600, -3600] {
        let server = Server::start(&[(401, NO), (200, r#"{"scopes":[]}"#), (200, "{}"), (401, NO)]).await;
        *server.ahead_seconds.lock().unwrap() = ahead;
        let client = server.signed();
        client.current_scopes().await.unwrap();
        // Another service: what was learned holds for it too, and so it does for clones and for signed URLs.
        client.clone().fetch(&Method::PUT, &format!("{}/book", server.root()), Some(b"{}")).await.unwrap();
        let now = falconer_client::system::now_ms() / 1000;
        let arrived = server.arrived();
        let off: Vec<i64> = arrived.iter().map(|arrived| ts(arrived) - now).collect();
        assert!(off[0].abs() < 60 && (off[1] - ahead).abs() < 60 && (off[2] - ahead).abs() < 60, "{off:?}");
        assert_eq!(client.current_scopes().await.unwrap_err().status(), Some(401), "not asked again for each refusal");
        assert_eq!(*server.pings.lock().unwrap(), 1);
    }

    // A clock that is right is no reason to sign again, and calls without a signature are no reason to ask.
    let server = Server::start(&[(401, NO), (401, NO)]).await;
    assert_eq!(server.client().current_scopes().await.unwrap_err().status(), Some(401));
    assert_eq!(*server.pings.lock().unwrap(), 0);
    assert_eq!(server.signed().current_scopes().await.unwrap_err().status(), Some(401));
    assert_eq!(*server.pings.lock().unwrap(), 1);
}

/// A POST to somebody else's service was made up to five times when its answers were lost.
#[tokio::test]
async fn posts_to_other_services_are_made_once_unless_said() {
    let post = async |client: Client, server: &Server| client.fetch(&Method::POST, &format!("{}/order", server.root()), Some(b"{}")).await;
    let server = Server::start(&[(503, ""), (200, "")]).await;
    assert_eq!(post(server.client(), &server).await.unwrap_err().status(), Some(503));
    let said = server.client().with_retry(Retry { first_delay: Duration::ZERO, posts: true, ..Retry::default() });
    post(said.clone(), &server).await.unwrap();
    let server = Server::start(&[(503, ""), (200, "")]).await;
    post(said, &server).await.unwrap();

    for (method, service, made) in [
        (Method::POST, "hooks", 1),
        (Method::PATCH, "hooks", 1),
        (Method::PUT, "queue", 2),
        (Method::DELETE, "queue", 2),
        (Method::POST, "auth", 2),
    ] {
        let server = Server::start(&[(503, ""), (200, "null")]).await;
        let call = Call { method: method.clone(), service, version: "v1", route: "/x".to_owned(), query: vec![] };
        let answer = server.client().call(&call, Some(&json!({}))).await;
        assert_eq!((answer.is_ok(), server.arrived().len()), (made == 2, made), "{method} {service}");
    }
}

/// The words of libraries were looked through to say what to do.
#[tokio::test]
async fn why_there_was_no_answer_is_known() {
    let once = |root: &str| Client::new(root).unwrap().with_retry(Retry { tries: 1, ..Retry::default() });
    // No label of a name is as long: nobody is asked about it.
    let unknown = once(&format!("http://{}.example.com", "x".repeat(64))).list_roles().await.unwrap_err();
    assert!(unknown.is_unknown_host() && !unknown.is_no_http(), "{unknown}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let other = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    });
    let no_http = once(&root).list_roles().await.unwrap_err();
    assert!(no_http.is_no_http() && !no_http.is_unknown_host(), "{no_http}");
    other.await.unwrap();
}

#[tokio::test]
async fn nobody_there_names_the_host_and_not_the_query() {
    let nobody = HeldPort::new();
    let root = format!("http://{}", nobody.address());
    let client = Client::new(&root).unwrap().with_retry(Retry { first_delay: Duration::ZERO, ..Retry::default() });
    let error = client.fetch(&Method::GET, &format!("{root}/?bewit=secret"), None).await.unwrap_err();
    assert!(matches!(error, Error::Network { .. }) && !error.is_unknown_host() && !error.is_no_http());
    let source = std::error::Error::source(&error).expect("what the network said is below");
    assert!(!format!("{source:?}").contains("secret"), "{source:?}");
    assert!(error.to_string().starts_with(root.trim_start_matches("http://")) && !error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn absent_things_are_none_and_empty_answers_are_null() {
    let none = r#"{"code":"ResourceNotFound","message":"Client not found"}"#;
    let server = Server::start(&[(404, none), (404, r#"{"error":"Not found"}"#), (204, ""), (200, ""), (200, "nonsense")]).await;
    let client = server.client();
    assert_eq!(client.client("a").await.unwrap(), None);
    assert_eq!(client.role("a").await.unwrap_err().status(), Some(404), "a wrong root URL is not an absent role");
    client.delete_role("a").await.unwrap();
    let call = Call { method: Method::GET, service: "queue", version: "v1", route: "/x".to_owned(), query: vec![] };
    assert_eq!(client.call(&call, None).await.unwrap(), Value::Null);
    assert!(matches!(client.call(&call, None).await, Err(Error::Answer { .. })));
    assert!(matches!(client.client("..").await, Err(Error::Segment(text)) if text == ".."));
    assert!(Client::new("auth.example.com").is_err());
}

/// Two crates that do not know each other say what a clientId is.
#[test]
fn client_ids_are_the_same_for_calls_and_for_certificates() {
    for code in 0..=0x17f {
        let text = char::from_u32(code).unwrap().to_string();
        assert_eq!(falconer_credentials::is_client_id(&text), (falconer_wire::pattern::CLIENT_ID.matches)(&text), "{text:?}");
    }
    assert!(!falconer_credentials::is_client_id("") && !(falconer_wire::pattern::CLIENT_ID.matches)(""));
}

/// A refusal, or an answer that is lost, does not say what became of the grant: the check does.
#[tokio::test]
async fn the_end_of_a_grant_is_done_not_done_or_not_known() {
    let refused = |status: u16, code: &str| (status, json!({"code": code, "message": "no"}).to_string());
    let failed = |reason: &str| (200, json!({"status": "failed", "reason": reason, "message": "", "id": "x"}).to_string());
    let allowed = || (200, json!({"status": "allowed", "expires": "2030-01-01T00:00:00.000Z"}).to_string());
    for (script, ended) in [
        (vec![(200, r#"{"revision":7}"#.to_owned())], "ended"),
        (vec![refused(401, "AuthenticationFailed"), failed("grant-revoked")], "ended"),
        (vec![refused(503, "ServiceUnavailable"), refused(503, "x"), failed("grant-ended")], "ended"),
        (vec![refused(400, "InputError"), allowed()], "counts"),
        (vec![refused(404, "ResourceNotFound"), allowed()], "counts"),
        (vec![refused(401, "AuthenticationFailed"), failed("account-inactive")], "counts"),
        (vec![refused(503, "x"), refused(503, "x"), refused(503, "x"), refused(503, "x")], "not known"),
    ] {
        let script: Vec<(u16, &str)> = script.iter().map(|(status, body)| (*status, body.as_str())).collect();
        let server = Server::start(&script).await;
        let retry = Retry { tries: 2, first_delay: Duration::ZERO, ..Retry::default() };
        let found = match server.signed().with_retry(retry).end_grant().await {
            GrantEnd::Ended => "ended",
            GrantEnd::Counts(_) => "counts",
            GrantEnd::NotKnown(_) => "not known",
        };
        assert_eq!(found, ended, "{script:?}");
        let arrived = server.arrived();
        assert_eq!(arrived.len(), script.len(), "{script:?}");
        assert_eq!((arrived[0].method.as_str(), arrived[0].resource.as_str()), ("POST", "/api/falconer/v1/end-grant"));
        assert_eq!(server.verify(&arrived[0], &[]).unwrap().0, "t/one");
        if let [.., asked] = arrived.as_slice()
            && script.len() > 1
        {
            assert_eq!(asked.resource, "/api/falconer/v1/check");
            let question: Value = serde_json::from_slice(&asked.body).unwrap();
            assert_eq!(question["required"], json!({"AllOf": []}));
            assert!(question["request"]["authorization"].as_str().unwrap().starts_with("Hawk id=\"t/one\""), "{question}");
        }
    }
}
