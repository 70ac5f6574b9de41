//! The middleware asks whether, not what: what a server with `check` is asked, what comes of its answers, and what a server without it is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::routing::{get, post};
use axum::{Json, Router};
use falconer_middleware::{Caller, Expression, Guard, Proof, Refusal, Retry, SettingsError, SignedRequest, Verifier};
use http::StatusCode;
use serde_json::{Value, json};
use tower::ServiceExt;

type RecordedCalls = Arc<Mutex<Vec<(String, Value)>>>;

/// A Falconer that answers check with the first, and authenticateHawk with the second; `None`: it has no such method.
async fn fake(check: Option<Value>, list: Option<Value>) -> (String, RecordedCalls) {
    let calls = RecordedCalls::default();
    let mut app = Router::new();
    for (path, answer) in [("/api/falconer/v1/check", check), ("/api/auth/v1/authenticate-hawk", list)] {
        let Some(answer) = answer else { continue };
        let shared_calls = calls.clone();
        app = app.route(
            path,
            post(async move |Json(question): Json<Value>| {
                shared_calls.lock().unwrap().push((path.rsplit('/').next().unwrap().to_owned(), question));
                Json(answer)
            }),
        );
    }
    let app = app.fallback(async || (StatusCode::NOT_FOUND, Json(json!({"error": "Not found"}))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (root, calls)
}

fn allowed(more: Value) -> Value {
    let mut answer = json!({"status": "allowed", "expires": "2030-01-01T00:00:00.000Z", "clientId": "local/ann/x"});
    answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    answer
}

fn list(scopes: &[&str]) -> Value {
    json!({"status": "auth-success", "scheme": "hawk", "expires": "2030-01-01T00:00:00.000Z", "scopes": scopes, "clientId": "local/ann/x"})
}

const NOTES: &str = "https://notes.example:8443";

async fn send(guard: &Guard, path: &str) -> (StatusCode, Value) {
    let handler = async |caller: Caller| {
        let is = caller.is_person("user:ann").map_or_else(|refusal| json!(refusal.reason()), Value::from);
        Json(json!({"scopes": caller.scopes(), "is": is}))
    };
    let app = Router::new()
        .merge(guard.route("/books/{book}", json!({"AnyOf": ["notes:read:<book>", "admin:all"]}), get(handler)).unwrap())
        .route("/me", get(handler).layer(guard.identify()));
    let request =
        Request::get(path).header("authorization", "Hawk signed").header("host", "notes.example:443").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    (status, serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_route_asks_whether_and_learns_what_it_named() {
    let (root, calls) = fake(Some(allowed(json!({"revealed": ["assume:user:ann", "notes:read:*"]}))), None).await;
    let guard = Guard::new(&root, NOTES).unwrap().with_revealed(["assume:user:"]).unwrap();
    let (status, body) = send(&guard, "/books/red%20tea?x").await;
    assert_eq!((status, body), (StatusCode::OK, json!({"scopes": ["assume:user:ann", "notes:read:*"], "is": true})));
    let (method, question) = calls.lock().unwrap()[0].clone();
    assert_eq!(
        (method.as_str(), question),
        (
            "check",
            json!({
                "request": {"method": "get", "resource": "/books/red%20tea?x", "host": "notes.example", "port": 8443, "authorization": "Hawk signed"},
                "required": {"AnyOf": ["notes:read:red tea", "admin:all"]},
                "reveal": ["assume:user:", "notes:", "admin:"],
                "identity": true,
            })
        )
    );
}

#[tokio::test]
async fn denied_is_403_and_failed_is_401() {
    let missing = json!({"AnyOf": ["notes:read:red", "admin:all"]});
    let denied = json!({"status": "denied", "reason": "scopes-missing", "message": "m", "id": "i", "missing": missing, "expires": "x", "clientId": "local/ann/x"});
    let guard = Guard::new(&fake(Some(denied), None).await.0, NOTES).unwrap();
    let (status, body) = send(&guard, "/books/red").await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::FORBIDDEN, Some("InsufficientScopes")));
    assert!(body["message"].as_str().unwrap().starts_with("Client ID local/ann/x does not have sufficient scopes"));
    let failed = json!({"status": "failed", "reason": "grant-revoked", "message": "The grant a has been revoked", "id": "i"});
    let guard = Guard::new(&fake(Some(failed), None).await.0, NOTES).unwrap();
    let (status, body) = send(&guard, "/books/red").await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("AuthenticationFailed")));
    for nonsense in [json!({"status": "fine"}), json!({"status": "allowed"}), json!(null), json!({"status": "auth-success"})] {
        let guard = Guard::new(&fake(Some(nonsense), None).await.0, NOTES).unwrap();
        assert_eq!(send(&guard, "/books/red").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }
}

/// The same comes out, and the second call asks for the list at once.
#[tokio::test]
async fn an_older_server_is_asked_for_the_list() {
    let (root, calls) = fake(None, Some(list(&["notes:read:red", "secret:x"]))).await;
    let guard = Guard::new(&root, NOTES).unwrap();
    for _ in 0..2 {
        assert_eq!(send(&guard, "/books/red").await, (StatusCode::OK, json!({"scopes": ["notes:read:red"], "is": "misconfigured"})));
    }
    assert_eq!(send(&guard, "/books/blue").await.0, StatusCode::FORBIDDEN);
    let methods: Vec<String> = calls.lock().unwrap().iter().map(|(method, _)| method.clone()).collect();
    assert_eq!(methods, ["authenticate-hawk"; 3]);
}

/// The whole list was asked for: it takes no tokens, and where it is kept for some services each request was 503.
#[tokio::test]
async fn whoever_decides_alone_is_asked_about_as_everybody_is() {
    let (root, calls) = fake(Some(allowed(json!({"revealed": ["notes:read:red"]}))), None).await;
    let guard = Guard::new(&root, NOTES).unwrap().with_revealed(["notes:"]).unwrap().with_protected_resource("", ["notes:read:*"]).unwrap();
    let handler = async |caller: Caller| Json(json!(caller.scopes()));
    let app: Router = Router::new().route("/me", get(handler).layer(guard.identify()));
    let request = Request::get("/me").header("authorization", "Bearer falconer_at_x").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(to_bytes(response.into_body(), 1000).await.unwrap(), r#"["notes:read:red"]"#);
    let (method, question) = calls.lock().unwrap()[0].clone();
    assert_eq!(
        (method.as_str(), &question["required"], &question["reveal"], &question["bearer"]),
        ("check", &json!({"AllOf": []}), &json!(["notes:"]), &json!(true))
    );
}

/// Of a server without `check` the same is taken from the list.
#[tokio::test]
async fn whoever_decides_alone_sees_no_more_of_an_older_server() {
    let (root, _) = fake(None, Some(list(&["notes:read:red", "secret:x"]))).await;
    let guard = Guard::new(&root, NOTES).unwrap();
    assert_eq!(send(&guard, "/me").await, (StatusCode::OK, json!({"scopes": [], "is": "misconfigured"})));
    let guard = guard.with_revealed(["notes:", "assume:user:"]).unwrap();
    assert_eq!(send(&guard, "/me").await.1, json!({"scopes": ["notes:read:red"], "is": false}));
}

/// What Falconer does for a request was in no trace.
#[tokio::test]
async fn the_question_is_a_part_of_the_trace_of_the_request() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let seen: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let remember = seen.clone();
    let app = Router::new().route(
        "/api/falconer/v1/check",
        post(async move |headers: axum::http::HeaderMap| {
            let traces = headers.get_all("traceparent").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
            remember.lock().unwrap().push(traces);
            Json(allowed(json!({})))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let guard = Guard::new(&root, NOTES).unwrap();
    let (more, long, upper) = (format!("{TRACE}-more"), "x".repeat(9000), TRACE.to_uppercase());
    for given in [&[TRACE][..], &[], &[TRACE, TRACE], &[&more], &[&long], &[&upper]] {
        let app: Router = Router::new().merge(guard.route("/books", "notes:read:red", get(async || "")).unwrap());
        let request = given.iter().fold(Request::get("/books"), |request, value| request.header("traceparent", *value));
        let answer = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{given:?}");
    }
    let expected: Vec<Vec<String>> = [vec![TRACE.to_owned()], vec![], vec![], vec![], vec![], vec![]].into();
    assert_eq!(*seen.lock().unwrap(), expected);
}

/// Everybody got `Bad mac` because the service was configured with another port, and nothing anywhere said so.
#[tokio::test]
async fn a_wrong_origin_is_looked_for() {
    let calls = RecordedCalls::default();
    let remember = calls.clone();
    let app = Router::new().route(
        "/api/falconer/v1/check",
        post(async move |Json(question): Json<Value>| {
            let port = question["request"]["port"].clone();
            remember.lock().unwrap().push((port.to_string(), question));
            let wrong = json!({"status": "failed", "reason": "bad-mac", "message": "Unauthorized: Bad mac", "id": "i"});
            Json(if port == 443 { allowed(json!({})) } else { wrong })
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let verifier = Verifier::new(&root, NOTES).unwrap();
    let request =
        SignedRequest { method: "GET", resource: "/x", authorization: Some(b"Hawk signed"), proof: Proof::Nothing, source_ip: None };
    let refusal = verifier.check(&request, &Expression::Scope("notes:x".to_owned())).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Credentials { .. }));
    assert_eq!((refusal.reason(), refusal.id()), (Some("bad-mac"), Some("i")));
    let found = verifier.look_for_other_origin(&request, "notes.example").await;
    assert_eq!(found.as_deref(), Some("verified for notes.example:443, your configured origin is notes.example:8443"));
    assert_eq!(verifier.look_for_other_origin(&request, "notes.example").await, None, "once a minute");
    assert_eq!(calls.lock().unwrap().len(), 2);
    // In the layer, too; and nobody is let in.
    let guard = Guard::new(&root, NOTES).unwrap();
    assert_eq!(send(&guard, "/books/red").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(calls.lock().unwrap().iter().filter(|(port, _)| port == "443").count(), 2);
}

#[test]
fn prefixes_that_would_show_too_much_or_nothing_are_refused_where_the_guard_is_built() {
    let revealed = |prefixes: &[&str]| Guard::new("http://localhost:1", NOTES).unwrap().with_revealed(prefixes.iter().copied()).map(|_| ());
    let many: Vec<String> = (0..17).map(|n| format!("p{n}:")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for good in [&[][..], &["assume:user:"], &["a:", "a:"], &many[1..]] {
        revealed(good).unwrap();
    }
    for bad in [&["assume"][..], &["a:", "assume:*"], &[""], &["a:\u{e9}"], &many] {
        assert!(matches!(revealed(bad), Err(SettingsError::Reveal { .. })), "{bad:?}");
    }
}

/// The cases that all kits share: what goes with an access token that is bound to a key, and a proof that counts once.
#[tokio::test]
async fn a_proof_goes_along_once() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../vectors/ours/proofs.json")).unwrap();
    assert!(cases.len() >= 8);
    for case in cases {
        let (input, expected) = (&case["input"], &case["expected"]);
        let (root, calls) = fake(Some(allowed(json!({"followUp": "f"}))), None).await;
        let mut guard = Guard::new(&root, input["origin"].as_str().unwrap()).unwrap();
        if input["bearerTokens"] == true {
            guard = guard.with_bearer_tokens();
        }
        let handler = async |caller: Caller| caller.has(&Expression::Scope("notes:write:red".to_owned())).await.unwrap().to_string();
        let app: Router = Router::new().merge(guard.route("/books/{book}", "notes:read:<book>", get(handler)).unwrap());
        let mut request = Request::get("/books/red").header("authorization", input["authorization"].as_str().unwrap());
        for proof in input["dpop"].as_array().unwrap() {
            request = request.header("DPoP", proof.as_str().unwrap());
        }
        assert_eq!(app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status(), StatusCode::OK);
        let calls = calls.lock().unwrap();
        let [(_, first), (_, second)] = &calls[..] else { panic!("{calls:?}") };
        let mut said = json!({"bearer": first["bearer"], "dpop": first["request"]["dpop"], "scheme": first["request"]["scheme"]});
        said.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(said, *expected, "{}", case["name"]);
        let follow_up = if expected["scheme"].is_null() { Value::Null } else { json!("f") };
        assert_eq!((&second["request"]["dpop"], &second["request"]["followUp"]), (&Value::Null, &follow_up), "{}", case["name"]);
    }
}

/// What each kit makes of an error: whose fault it is. The kits had it otherwise, so that one answered 400 for what another called an outage.
#[tokio::test]
async fn a_question_that_falconer_refuses_is_the_callers_fault_or_the_authors() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../vectors/ours/refused-questions.json")).unwrap();
    assert!(cases.len() >= 21, "{}", cases.len());
    for case in cases {
        let (input, expected) = (&case["input"], &case["expected"]);
        let status = StatusCode::from_u16(input["status"].as_u64().unwrap().try_into().unwrap()).unwrap();
        let text = input["body"].as_str().map_or_else(|| input["body"].to_string(), str::to_owned);
        let path = if input["method"] == "check" { "/api/falconer/v1/check" } else { "/api/auth/v1/authenticate-hawk" };
        let app = Router::new().route(path, post(async move || (status, text))).fallback(async || (StatusCode::NOT_FOUND, "{}"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let once = Retry { tries: 1, ..Retry::default() };
        let verifier = Verifier::new(&root, NOTES).unwrap().with_retry(once);
        let request =
            SignedRequest { method: "GET", resource: "/x", authorization: Some(b"Hawk x"), proof: Proof::Nothing, source_ip: None };
        let refusal = verifier.check(&request, &Expression::Scope("notes:x".to_owned())).await.unwrap_err();
        let said = json!({"status": refusal.code().status(), "code": refusal.body("GET", "/x").code, "reason": refusal.reason()});
        assert_eq!(said, *expected, "{}", case["name"]);
        assert!(!refusal.message().contains("---") && !refusal.message().contains(&root), "{}", refusal.message());
    }
}
