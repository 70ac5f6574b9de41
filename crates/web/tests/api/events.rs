//! Changes as server-sent events: what is sent, how it is resumed, and when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::patience::patience;
use crate::support::{Answer, Call, Credentials, Node, api, call, node, root};
use axum::body::Body;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

fn events() -> Call {
    call("GET", "/api/falconer/v1/events")
}

/// A stream as a browser reads it.
struct Stream {
    headers: HeaderMap,
    body: Body,
    text: String,
}

/// Ids without the epoch in front, which is random.
fn without_epoch(block: &str) -> String {
    let plain = |line: &str| match line.strip_prefix("id: ").and_then(|id| id.split_once('-')) {
        Some((epoch, rest)) if epoch.len() == 16 => format!("id: {rest}"),
        _ => line.to_owned(),
    };
    block.lines().map(plain).collect::<Vec<_>>().join("\n")
}

impl Stream {
    async fn open(node: &Node, call: Call) -> Stream {
        let response = node.api.answer(call.request(node.now_ms())).await;
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            let bytes = body.collect().await.unwrap().to_bytes();
            panic!("{}: {}", parts.status, String::from_utf8_lossy(&bytes));
        }
        Stream { headers: parts.headers, body, text: String::new() }
    }

    /// The lines up to the next empty one; none at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(without_epoch(&block));
            }
            let frame = tokio::time::timeout(patience(), self.body.frame()).await.expect("nothing came")?;
            self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    /// The id, the name and the data of the next event.
    async fn event(&mut self) -> (String, String, Value) {
        let block = self.block().await.expect("the stream has ended");
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim_start().to_owned();
        (field("id:"), field("event:"), serde_json::from_str(&field("data:")).unwrap_or(Value::Null))
    }

    async fn name(&mut self) -> String {
        let (id, name, _) = self.event().await;
        format!("{id} {name}")
    }
}

async fn refused(node: &Node, call: Call) -> Answer {
    let answer = node.send(call).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    answer
}

fn revision(node: &Node) -> i64 {
    node.auth.revision().0
}

#[tokio::test]
async fn events_tell_what_happened_as_it_happens() {
    let node = node().await;
    let at = revision(&node);
    let mut stream = Stream::open(&node, events().by(root())).await;
    for (name, value) in [
        ("content-type", Some("text/event-stream")),
        ("access-control-allow-origin", Some("*")),
        ("cache-control", Some("no-store no-cache must-revalidate")),
        ("x-accel-buffering", Some("no")),
        ("content-length", None),
        ("content-encoding", None),
        ("etag", None),
    ] {
        assert_eq!(stream.headers.get(name).map(|value| value.to_str().unwrap()), value, "{name}");
    }
    assert_eq!(stream.block().await.unwrap(), format!("id: {at}\nevent: ready\ndata: {{\"version\":1,\"revision\":{at}}}"));
    node.new_client("proj/one", &[]).await;
    node.send(api("POST", "/clients/proj%2Fone/reset").by(root())).await;
    node.new_role("odd: \"role\" é".trim_end_matches('é'), &[]).await;
    node.send(api("POST", "/roles/there").by(root()).json(json!({ "description": "", "scopes": [] }))).await;
    node.send(api("DELETE", "/clients/proj%2Fone").by(root())).await;
    let block = stream.block().await.unwrap();
    let data = format!("{{\"version\":1,\"clientId\":\"proj/one\",\"revision\":{}}}", at + 1);
    assert_eq!(block, format!("id: {}\nevent: client-created\ndata: {data}", at + 1));
    assert_eq!(
        stream.event().await,
        ((at + 2).to_string(), "client-updated".to_owned(), json!({ "version": 1, "clientId": "proj/one", "revision": at + 2 }))
    );
    let role = json!({ "version": 1, "roleId": "odd: \"role\" ", "revision": at + 3 });
    assert_eq!(stream.event().await, ((at + 3).to_string(), "role-created".to_owned(), role));
    assert_eq!(stream.name().await, format!("{} client-deleted", at + 4), "an update that was refused is no change");
    node.new_role("there", &[]).await;
    node.send(api("POST", "/roles/there").by(root()).json(json!({ "description": "", "scopes": ["a"] }))).await;
    node.send(api("DELETE", "/roles/there").by(root())).await;
    for name in ["role-created", "role-updated", "role-deleted"] {
        assert!(stream.name().await.ends_with(name));
    }
}

#[tokio::test]
async fn a_follower_resumes_by_header_or_by_query() {
    let node = node().await;
    let at = revision(&node);
    for id in ["a", "b", "c"] {
        node.new_role(id, &[]).await;
    }
    let first = async |call: Call| {
        let mut stream = Stream::open(&node, call.by(root())).await;
        (stream.name().await, stream.event().await.2["roleId"].as_str().unwrap().to_owned())
    };
    let since = |text: &str| call("GET", &format!("/api/falconer/v1/events?since={text}"));
    assert_eq!(first(since(&at.to_string())).await, (format!("{at} ready"), "a".to_owned()));
    assert_eq!(first(events().header("last-event-id", &(at + 1).to_string())).await, (format!("{} ready", at + 1), "b".to_owned()));
    // A browser comes again with the URL that it began with.
    let both = since(&at.to_string()).header("last-event-id", &(at + 2).to_string());
    assert_eq!(first(both).await, (format!("{} ready", at + 2), "c".to_owned()));
    assert_eq!(first(since(&at.to_string()).header("last-event-id", "")).await.1, "a");
    for bad in ["", "-1", "abc", "1.", "1.0", "99999999999999999999"] {
        let answer = refused(&node, since(bad).by(root())).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "InvalidRequestArguments"), "{bad}");
    }
    let answer = refused(&node, events().header("last-event-id", "abc").by(root())).await;
    assert_eq!((answer.code(), answer.message().contains("Last-Event-ID")), ("InvalidRequestArguments", true));
    assert_eq!(refused(&node, since("1&since=2").by(root())).await.code(), "InvalidRequestArguments");
}

#[tokio::test]
async fn a_position_out_of_reach_says_to_list_again() {
    let node = node().await;
    let mut stream = Stream::open(&node, call("GET", "/api/falconer/v1/events?since=4000").by(root())).await;
    assert_eq!(stream.name().await, "4000 ready");
    let at = revision(&node);
    assert_eq!(stream.event().await, (at.to_string(), "reset".to_owned(), json!({ "version": 1, "revision": at })));
    // The same number in another database is another position.
    let elsewhere = call("GET", &format!("/api/falconer/v1/events?since=0123456789abcdef-{at}"));
    let mut other = Stream::open(&node, elsewhere.by(root())).await;
    other.event().await;
    assert_eq!(other.event().await.1, "reset");
    let here = call("GET", &format!("/api/falconer/v1/events?since={}-{at}", node.auth.directory().history().epoch));
    let mut known = Stream::open(&node, here.by(root())).await;
    known.event().await;
    node.new_role("r", &[]).await;
    assert_eq!(stream.name().await, format!("{} role-created", at + 1));
    assert_eq!(known.name().await, format!("{} role-created", at + 1));
}

#[tokio::test]
async fn a_signed_url_serves_browsers_until_it_ends() {
    let node = node().await;
    let reader = node.new_client("reader", &["auth:events"]).await;
    let by_url = |seconds: i64| Call { bewit: Some((reader.clone(), seconds)), ..events() };
    let mut stream = Stream::open(&node, by_url(60)).await;
    assert!(stream.name().await.ends_with("ready"));
    node.new_role("r", &[]).await;
    assert!(stream.name().await.ends_with("role-created"));
    let at = revision(&node);
    node.advance(60_000);
    node.new_role("s", &[]).await;
    let end = stream.event().await;
    assert_eq!(end, (at.to_string(), "end".to_owned(), json!({ "version": 1, "reason": "Unauthorized: Access expired" })));
    assert_eq!(stream.block().await, None);
    // The same with a query that was signed along.
    let since = Call { bewit: Some((reader.clone(), 60)), ..call("GET", &format!("/api/falconer/v1/events?since={at}")) };
    let mut stream = Stream::open(&node, since).await;
    assert_eq!((stream.name().await, stream.name().await), (format!("{at} ready"), format!("{} role-created", at + 1)));
    assert_eq!(refused(&node, by_url(-1)).await.status, 401);
}

#[tokio::test]
async fn whoever_loses_the_right_is_told_and_let_go() {
    let node = node().await;
    node.new_person().await;
    let (id, granted) = node.new_grant(&["auth:events"]).await;
    let mut stream = Stream::open(&node, events().by(granted)).await;
    assert!(stream.name().await.ends_with("ready"));
    node.auth.revoke_grants(&[crate::support::PERSON], crate::support::PERSON, std::slice::from_ref(&id), "").await.unwrap();
    let (_, name, data) = stream.event().await;
    assert_eq!((name.as_str(), data["reason"].as_str()), ("end", Some(format!("The grant {id} has been revoked").as_str())));
    assert_eq!(stream.block().await, None);
    // A scope that is taken away.
    let reader = node.new_client("reader", &["auth:events"]).await;
    let mut stream = Stream::open(&node, events().by(reader)).await;
    assert!(stream.name().await.ends_with("ready"));
    let less = json!({ "expires": "2030-01-01T00:00:00Z", "description": "", "scopes": [] });
    assert_eq!(node.send(api("POST", "/clients/reader").by(root()).json(less)).await.status, 200);
    let (_, name, data) = stream.event().await;
    assert_eq!(name, "end");
    assert!(data["reason"].as_str().unwrap().contains("auth:events"), "{data}");
}

/// Story: a server that could not tell who may do what, because its clock or its store failed, sent `end` to all followers, as if their credentials held no more.
#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_tell_ends_the_stream_and_says_nothing_of_the_credentials() {
    let node = node().await;
    node.new_client("reader", &["auth:events"]).await;
    let mut stream = Stream::open(&node, events().by(root())).await;
    assert!(stream.name().await.ends_with("ready"));
    node.advance(-2 * 3_600_000);
    assert_eq!(stream.block().await, None, "no `end`, only the end of the connection");
    assert_eq!(node.send(events().by(root())).await.status, 503);
    // The right is where it was.
    node.advance(2 * 3_600_000);
    let mut again = Stream::open(&node, events().by(root())).await;
    assert!(again.name().await.ends_with("ready"));
}

#[tokio::test]
async fn only_those_with_the_scope_follow() {
    let node = node().await;
    let anonymous = refused(&node, events()).await;
    assert_eq!((anonymous.status.as_u16(), anonymous.code()), (403, "InsufficientScopes"));
    assert_eq!(anonymous.json["requestInfo"]["method"], "events");
    let poor: Credentials = node.new_client("poor", &["auth:event"]).await;
    assert_eq!(refused(&node, events().by(poor)).await.code(), "InsufficientScopes");
    let head = node.send(Call { method: "HEAD".to_owned(), ..events() }.by(root())).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    let preflight = node.send(Call { method: "OPTIONS".to_owned(), ..events() }).await;
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("Last-Event-ID"));
}

#[tokio::test(start_paused = true)]
async fn quiet_streams_have_a_heartbeat_that_looks_at_the_credentials() {
    let node = node().await;
    let reader = node.new_client("reader", &["auth:events"]).await;
    let mut stream = Stream::open(&node, Call { bewit: Some((reader, 60)), ..events() }).await;
    let at = revision(&node);
    assert!(stream.name().await.ends_with("ready"));
    let began = tokio::time::Instant::now();
    for beat in 1..=3 {
        let block = stream.block().await.unwrap();
        assert!(block.lines().any(|line| line.starts_with(':')) && !block.contains("data"), "{block}");
        assert!(block.lines().any(|line| line == format!("id: {at}")), "{block}");
        assert_eq!(began.elapsed().as_secs(), 15 * beat);
    }
    // Nothing happens, and still the URL ends.
    node.advance(60_000);
    assert_eq!(stream.event().await.1, "end");
    assert_eq!(stream.block().await, None);
}

/// Story: each follower of an import sent all that it had at once, so that with two hundred of them every other call of the thread waited for a third of a
/// second. Then each of them sent a piece before that call had its turn.
#[tokio::test]
async fn followers_of_many_changes_take_turns_with_others() {
    const FOLLOWERS: usize = 40;
    const CLIENTS: usize = 1000;
    /// So many of them may send before others have their turn, however many follow.
    const AT_ONCE: usize = 8;
    let node = node().await;
    let mut streams = Vec::new();
    for _ in 0..FOLLOWERS {
        let mut stream = Stream::open(&node, events().by(root())).await;
        assert!(stream.name().await.ends_with("ready"));
        streams.push(stream);
    }
    let client =
        |number: usize| json!({ "clientId": format!("many/{number}"), "expires": "2100-01-01T00:00:00Z", "description": "", "scopes": [] });
    let clients: Vec<Value> = (0..CLIENTS).map(client).collect();
    let import = call("POST", "/api/falconer/v1/import").by(root()).json(json!({ "roles": [], "clients": clients }));
    assert_eq!(node.send(import).await.status, 200);
    let pieces = Arc::new(AtomicUsize::new(0));
    let following: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            let pieces = Arc::clone(&pieces);
            tokio::spawn(async move {
                let mut count_now = 0;
                while count_now < CLIENTS {
                    let frame = stream.body.frame().await.expect("the stream goes on").unwrap().into_data().unwrap();
                    count_now += std::str::from_utf8(&frame).unwrap().matches("event: client-created").count();
                    pieces.fetch_add(1, Ordering::Relaxed);
                }
                count_now
            })
        })
        .collect();
    // Another call of this thread: how many pieces go out before it has its turn.
    let (mut most, mut turns) = (0, 0);
    while following.iter().any(|follower| !follower.is_finished()) {
        let before = pieces.load(Ordering::Relaxed);
        tokio::task::yield_now().await;
        most = most.max(pieces.load(Ordering::Relaxed) - before);
        turns += 1;
    }
    for follower in following {
        assert_eq!(follower.await.unwrap(), CLIENTS);
    }
    // Those that have ended their turn let others in, who wait for the next one.
    assert!((1..=AT_ONCE).contains(&most) && turns >= 5, "{most} pieces in one turn of {turns}");
}
