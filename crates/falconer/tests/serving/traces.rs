//! Traces over OTLP: a service behind the Rust kit, the real server, and a collector that reads what it sends.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use falconer_client::{Client, Credentials, Method};
use falconer_middleware::Guard;
use prost::Message as _;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::patience::{Lines, patience};
use crate::support::{Server, falconer, init};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// As much of the schema (opentelemetry-proto) as is looked at here.
#[derive(Clone, PartialEq, prost::Message)]
struct ExportTraceServiceRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 3")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Value {
    #[prost(string, tag = "1")]
    StringValue(String),
    #[prost(int64, tag = "3")]
    IntValue(i64),
}

/// What the server has sent.
#[derive(Clone, Default)]
struct Collector {
    bodies: Arc<Mutex<Vec<Bytes>>>,
    came: Arc<tokio::sync::Notify>,
}

impl Collector {
    /// On a port of its own; the endpoint for the settings.
    async fn start(&self) -> String {
        let routes = Router::new().route("/v1/traces", post(Collector::take)).with_state(self.clone());
        serve(routes).await
    }

    async fn take(State(collector): State<Collector>, headers: axum::http::HeaderMap, body: Bytes) -> StatusCode {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        collector.bodies.lock().unwrap().push(body);
        collector.came.notify_one();
        StatusCode::OK
    }

    fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap();
        let requests = bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// The spans, as soon as one of this name is among them.
    async fn with(&self, name: &str) -> Vec<Span> {
        let waiting = async {
            while !self.spans().iter().any(|span| span.name == name) {
                self.came.notified().await;
            }
        };
        let names = || self.spans().into_iter().map(|span| span.name).collect::<Vec<_>>();
        tokio::time::timeout(patience(), waiting).await.unwrap_or_else(|_| panic!("no span {name}: {:?}", names()));
        self.spans()
    }
}

async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(span: &Span) -> BTreeMap<&str, Value> {
    span.attributes.iter().map(|one| (one.key.as_str(), one.value.clone().unwrap().value.unwrap())).collect()
}

fn one<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_from_the_caller_to_the_store() {
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let mut command = falconer();
    command.args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
    // None of its own: what is recorded is what a caller asks for.
    command.env("FALCONER_TRACING__OTLP_ENDPOINT", &endpoint).env("FALCONER_TRACING__RATIO", "0").stderr(Stdio::piped());
    let mut server = Server::of(command);
    let log = Lines::of(server.child.stderr.take().unwrap(), "serve");
    let admin = server.client(&root);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = format!("http://{}", listener.local_addr().unwrap());
    let guard = Guard::new(&server.root_url, &service).unwrap();
    let routes: Router = Router::new().route("/plain", get(|| async { "" }));
    let routes = routes.merge(guard.route("/books", "notes:read:secret-scope", get(|| async { Json(json!({})) })).unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });

    let body = json!({"expires": "2099-01-01T00:00:00.000Z", "description": "words", "scopes": ["notes:read:secret-scope"]});
    let url = format!("{}/api/auth/v1/clients/secret-name", server.root_url);
    let create = |client: Client| {
        let (url, body) = (url.clone(), body.to_string());
        async move { client.fetch(&Method::PUT, &url, Some(body.as_bytes())).await.unwrap() }
    };
    // Nobody has begun a trace, so that none is recorded.
    let caller: serde_json::Value = serde_json::from_slice(&create(admin.clone()).await).unwrap();
    let token = caller["accessToken"].as_str().unwrap();

    let caller = Client::new(&server.root_url).unwrap().with_credentials(Credentials::new("secret-name", token));
    let header = format!("00-{TRACE}-{PARENT}-01");
    caller.clone().within_trace(Some(header.as_bytes())).fetch(&Method::GET, &format!("{service}/books"), None).await.unwrap();
    let spans = collector.with("check").await;
    let check = one(&spans, "check");
    assert_eq!((hex(&check.trace_id), hex(&check.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()), "the kit passed it on");
    assert_eq!(check.kind, 2);
    assert_eq!(attributes(check)["http.response.status_code"], Value::IntValue(200));
    assert_eq!(attributes(check)["http.request.method"], Value::StringValue("POST".to_owned()));
    let verification = one(&spans, "verification");
    assert_eq!((&verification.trace_id, &verification.parent_span_id), (&check.trace_id, &check.span_id));
    assert!(verification.start_time_unix_nano >= check.start_time_unix_nano && verification.end_time_unix_nano <= check.end_time_unix_nano);
    assert_eq!(spans.len(), 2, "{spans:?}");

    // Not recorded, and not of the form.
    for header in [format!("00-{TRACE}-{PARENT}-00"), format!("00-{TRACE}-{PARENT}-01-more"), "x".repeat(5000)] {
        caller.clone().within_trace(Some(header.as_bytes())).fetch(&Method::GET, &format!("{service}/books"), None).await.unwrap();
    }
    collector.bodies.lock().unwrap().clear();
    let deleting = admin.clone().within_trace(Some(header.as_bytes()));
    deleting.fetch(&Method::DELETE, &url, None).await.unwrap();
    let spans = collector.with("deleteClient").await;
    let (delete, commit) = (one(&spans, "deleteClient"), one(&spans, "store.commit"));
    assert_eq!((hex(&delete.trace_id), hex(&commit.trace_id)), (TRACE.to_owned(), TRACE.to_owned()));
    assert_eq!((&commit.parent_span_id, commit.kind), (&delete.span_id, 3));
    assert!(spans.iter().any(|span| span.name == "verification" && span.parent_span_id == delete.span_id));
    assert!(spans.iter().all(|span| span.name != "check"), "{spans:?}");

    let bodies: Vec<u8> = collector.bodies.lock().unwrap().concat();
    for secret in ["secret", token, &root.access_token, "words", "/api/"] {
        assert!(!bodies.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is in a span");
    }
    let line = std::iter::from_fn(|| log.next()).find(|line| line.contains("DELETE")).unwrap();
    assert!(line.ends_with(&format!(" trace_id={TRACE}")), "{line}");
    let metrics = server.printed.iter().find_map(|line| line.strip_prefix("metrics at ")).unwrap();
    let counts = crate::support::http().get(metrics).send().await.unwrap().text().await.unwrap();
    assert!(counts.contains("falconer_spans_exported_total") && counts.contains("falconer_spans_dropped_total 0"), "{counts}");
    assert_eq!(server.end(), Some(0));
}
