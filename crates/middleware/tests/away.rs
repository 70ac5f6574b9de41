//! When Falconer is away: nobody is let in, nobody waits, one question a second tries, and what a caller wrote shuts nobody out. And what a service counts, and asks
//! of its caller. Falconer here is a fake that says what the test wants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::future::poll_fn;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use falconer_middleware::{Caller, Expression, Proof, Refusal, Retry, SignedRequest, Verifier};
use serde_json::{Value, json};

const NOTES: &str = "https://notes.example";
const REQUEST: SignedRequest<'_> =
    SignedRequest { method: "GET", resource: "/x", authorization: Some(b"Hawk signed"), proof: Proof::Nothing, source_ip: None };

#[derive(Clone, Default)]
struct Fake {
    says: Arc<Mutex<(u16, String)>>,
    questions: Arc<Mutex<Vec<Value>>>,
}

impl Fake {
    fn says(&self, status: u16, body: impl ToString) {
        *self.says.lock().unwrap() = (status, body.to_string());
    }

    fn questions(&self) -> usize {
        self.questions.lock().unwrap().len()
    }

    async fn start(&self) -> Verifier {
        let fake = self.clone();
        let app = Router::new().route(
            "/api/falconer/v1/check",
            post(async move |Json(question): Json<Value>| {
                fake.questions.lock().unwrap().push(question);
                let (status, body) = fake.says.lock().unwrap().clone();
                (StatusCode::from_u16(status).unwrap(), body)
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let once = Retry { tries: 1, first_delay: Duration::ZERO, ..Retry::default() };
        Verifier::new(&root, NOTES).unwrap().with_retry(once)
    }
}

fn allowed(more: Value) -> Value {
    let mut answer = json!({"status": "allowed", "expires": "2030-01-01T00:00:00.000Z", "clientId": "ann"});
    answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    answer
}

async fn check(verifier: &Verifier) -> Result<Caller, Refusal> {
    verifier.check(&REQUEST, &Expression::Scope("notes:x".to_owned())).await?.with_body("", b"")
}

#[tokio::test]
async fn after_five_failures_nobody_waits_and_one_a_second_tries() {
    static NOW_MS: AtomicI64 = AtomicI64::new(0);
    let fake = Fake::default();
    let verifier = fake.start().await.with_clock(|| NOW_MS.load(SeqCst));
    for (at_ms, status, questions, let_in) in [(0, 500, 5, 0), (999, 200, 0, 0), (1000, 502, 1, 0), (1999, 200, 0, 0), (2200, 200, 20, 20)]
    {
        NOW_MS.store(at_ms, SeqCst);
        fake.says(status, allowed(json!({})));
        let before = fake.questions();
        let mut callers = 0;
        for _ in 0..20 {
            match check(&verifier.clone()).await {
                Ok(_) => callers += 1,
                Err(refusal) => assert_eq!((refusal.code().status(), refusal.reason()), (503, Some("unavailable"))),
            }
        }
        assert_eq!((fake.questions() - before, callers), (questions, let_in), "at {at_ms} ms");
    }
    let counts = verifier.counts();
    assert_eq!((counts.allowed, counts.denied, counts.failed, counts.unavailable), (20, 0, 0, 80));
}

/// A proxy before Falconer that dislikes a URL, or a caller who hangs up, says nothing about Falconer.
#[tokio::test]
async fn what_a_caller_wrote_shuts_nobody_out() {
    let fake = Fake::default();
    let verifier = fake.start().await;
    fake.says(403, "<h1>attack detected</h1>");
    for _ in 0..10 {
        assert!(matches!(check(&verifier).await, Err(Refusal::Unavailable(_))));
    }
    fake.says(200, allowed(json!({})));
    for _ in 0..10 {
        // Dropped before an answer came.
        let mut asking = Box::pin(check(&verifier));
        assert!(poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_pending())).await);
    }
    check(&verifier).await.unwrap();
    fake.says(200, json!({"status": "failed", "reason": "bad-mac", "message": "Unauthorized: Bad mac", "id": "i"}));
    for _ in 0..10 {
        assert_eq!(check(&verifier).await.unwrap_err().reason(), Some("bad-mac"));
    }
    assert_eq!((verifier.counts().allowed, verifier.counts().failed), (1, 10));
}

/// Falconer would close the connection while such a question is still being sent: five of them, and nobody else would be asked about.
#[tokio::test]
async fn a_request_that_falconer_would_not_read_is_not_asked_about() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../vectors/ours/large-questions.json")).unwrap();
    assert!(cases.len() >= 8, "{}", cases.len());
    let fake = Fake::default();
    let verifier = fake.start().await;
    fake.says(200, allowed(json!({})));
    for case in &cases {
        let text = |begins: &str, name: &str| {
            let given = &case["input"][name];
            let times = given["times"].as_u64().unwrap_or_default();
            begins.to_owned() + &given["text"].as_str().unwrap_or_default().repeat(times.try_into().unwrap())
        };
        let (authorization, resource, required) = (text("Hawk ", "authorization"), text("/", "resource"), text("notes:", "required"));
        let request = SignedRequest { resource: &resource, authorization: Some(authorization.as_bytes()), ..REQUEST };
        let before = fake.questions();
        let refusal = verifier.check(&request, &Expression::Scope(required)).await.err();
        let status = refusal.as_ref().map_or(200, |refusal| refusal.code().status());
        let code = refusal.as_ref().map(|refusal| refusal.body("GET", "/").code);
        let said = json!({"asked": fake.questions() > before, "status": status, "code": code, "reason": refusal.as_ref().and_then(Refusal::reason)});
        assert_eq!(said, case["expected"], "{}", case["name"]);
    }
}

/// It took the place of the one question that tries whether Falconer is back, and was told as an answer of it.
#[tokio::test]
async fn a_request_that_is_too_large_says_nothing_about_falconer() {
    static NOW_MS: AtomicI64 = AtomicI64::new(0);
    let fake = Fake::default();
    let verifier = fake.start().await.with_clock(|| NOW_MS.load(SeqCst));
    fake.says(500, "");
    for _ in 0..5 {
        assert!(matches!(check(&verifier).await, Err(Refusal::Unavailable(_))));
    }
    NOW_MS.store(1100, SeqCst);
    let authorization = format!("Hawk {}", "a".repeat(70_000));
    let large = SignedRequest { authorization: Some(authorization.as_bytes()), ..REQUEST };
    let needed = Expression::Scope("notes:x".to_owned());
    assert!(matches!(verifier.check(&large, &needed).await, Err(Refusal::RequestTooLarge)));
    assert!(matches!(verifier.verify(&large).await, Err(Refusal::RequestTooLarge)));
    assert!(matches!(check(&verifier).await, Err(Refusal::Unavailable(_))));
    assert!(matches!(check(&verifier).await, Err(Refusal::Paused)));
    assert_eq!(fake.questions(), 6);
}

/// Nothing is taken for granted, and nothing of the signature is shown.
#[tokio::test]
async fn an_answer_that_leaves_out_expressions_is_none() {
    let fake = Fake::default();
    let verifier = fake.start().await;
    fake.says(200, allowed(json!({})));
    let caller = check(&verifier).await.unwrap();
    assert!(!format!("{caller:?}").contains("signed"), "{caller:?}");
    let scopes = ["a:b", "a:c"].map(|scope| Expression::Scope(scope.to_owned()));
    assert!(matches!(caller.has_each(&scopes).await, Err(Refusal::Unavailable(_))));
    fake.says(200, allowed(json!({"each": [{"status": "allowed"}, {"status": "denied", "missing": "a:c"}]})));
    assert_eq!(caller.has_each(&scopes).await.unwrap(), [true, false]);
    assert_eq!(caller.has_each(&[]).await.unwrap(), [false; 0]);
    assert_eq!(fake.questions(), 3);
    fake.says(200, json!({"status": "denied", "reason": "scopes-missing", "message": "m", "id": "i", "missing": "a:b", "expires": "x"}));
    assert!(!caller.has(&scopes[0]).await.unwrap());
    assert!(matches!(caller.authorized_scopes(&["a:b"]).await, Err(Refusal::InsufficientScopes { .. })));
    for of_a_path in ["a:r\u{e9}d", "a:\0"] {
        assert!(
            matches!(caller.authorized_scopes(&["a:b", of_a_path]).await, Err(Refusal::Parameter { .. })),
            "400, and not what a call says later"
        );
    }
    fake.says(200, json!({"status": "failed", "reason": "client-disabled", "message": "m", "id": "i"}));
    assert_eq!(caller.has(&scopes[0]).await.unwrap_err().reason(), Some("client-disabled"));
}

/// Falconer lets one address have so many connections, and so many bytes under way. Strangers who make a service use them up would shut everybody out.
#[tokio::test]
async fn strangers_take_no_more_of_falconer_than_it_gives_one_address() {
    let (inside, most) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let (inside_there, most_there, gate_there) = (Arc::clone(&inside), Arc::clone(&most), Arc::clone(&gate));
    let app = Router::new().route(
        "/api/falconer/v1/check",
        post(async move || {
            most_there.fetch_max(inside_there.fetch_add(1, SeqCst) + 1, SeqCst);
            let passed = gate_there.acquire().await.is_ok();
            inside_there.fetch_sub(1, SeqCst);
            assert!(passed);
            allowed(json!({})).to_string()
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let verifier = Verifier::new(&root, NOTES).unwrap().with_retry(Retry { timeout: Duration::from_secs(120), ..Retry::default() });
    let strangers: Vec<_> = (0..400)
        .map(|_| {
            let verifier = verifier.clone();
            tokio::spawn(async move { check(&verifier).await.is_ok() })
        })
        .collect();
    while inside.load(SeqCst) < 256 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(400);
    for stranger in strangers {
        assert!(stranger.await.unwrap());
    }
    assert_eq!(most.load(SeqCst), 256);
}
