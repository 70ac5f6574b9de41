//! `falconer proxy` between programs that cannot sign and services that ask the real server who signed.

#![cfg(unix)]
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::signing::{Answer, Proxy, Service, World};
use crate::support::browser::Browser;
use crate::support::patience::{Lines, end_of, eventually, output_of};
use crate::support::ports::HeldPort;
use crate::support::user::{Done, command_with_input};
use serde_json::json;

const BOOK: &str = "/books/red";

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_signed_for_the_server_and_for_listed_hosts_only() {
    let world = World::start().await;
    let other = Service::start(world.falconer()).await;
    let proxy = world.proxy(&["--host", &world.service.origin]);

    let scopes = proxy.get("/api/auth/v1/scopes/current").await;
    assert_eq!((scopes.status, scopes.json()["scopes"].to_string().contains("notes:write:red")), (200, true), "{scopes:?}");
    assert_eq!(proxy.get("/auth/v1/scopes/current").await.json(), scopes.json());
    let book = proxy.get(&world.service.below("/books/red?page=2&x=%2F")).await;
    assert_eq!((book.status, book.json()["book"].as_str()), (200, Some("red")), "{book:?}");
    assert_eq!(book.header("x-taskcluster-endpoint"), Some(format!("{}/books/red?page=2&x=%2F", world.service.origin).as_str()));
    assert_eq!(book.header("x-taskcluster-proxy-perm-clientid"), Some("tests/job"));
    // The service's own refusal comes as it is.
    let denied = proxy.send("PUT", &world.service.below("/books/blue"), &[("content-type", "application/json")], "{}").await;
    assert_eq!((denied.status, denied.json()["code"].as_str()), (403, Some("InsufficientScopes")), "{denied:?}");

    // Another service at the same address, but for the port.
    let refused = proxy.get(&other.below(BOOK)).await;
    assert_eq!((refused.status, refused.reason().as_str()), (403, "host-not-listed"), "{refused:?}");
    assert!(refused.json()["message"].as_str().unwrap().contains("--host"), "{refused:?}");
    for (path, status, reason) in [
        ("/nothing", 404, "no-route"),
        ("/api/auth", 404, "no-route"),
        ("/api/auth/v1/../../sdk", 400, "bad-target"),
        ("http://127.0.0.1/api/auth/v1/ping", 400, "bad-target"),
        ("/api/auth/v1/ping?bewit=abc", 400, "signed-already"),
    ] {
        let refused = proxy.get(path).await;
        assert_eq!((refused.status, refused.reason().as_str()), (status, reason), "{path}: {refused:?}");
    }
    // A redirect goes back to whoever asked, and is not followed.
    let away = proxy.get(&world.service.below("/away")).await;
    assert_eq!((away.status, away.header("location")), (302, Some("http://elsewhere.example/")), "{away:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_a_browser_can_use_it_in_no_way() {
    let world = World::start().await;
    let proxy = world.proxy(&["--name", "taskcluster"]);
    let path = "/api/auth/v1/scopes/current";
    for own in ["localhost", "127.0.0.1", "taskcluster", "taskcluster:80"] {
        assert_eq!(proxy.send("GET", path, &[("host", own)], "").await.status, 200, "{own}");
    }
    // A name of somebody's own that was made to stand for this machine.
    let rebound = proxy.send("GET", path, &[("host", "evil.example")], "").await;
    assert_eq!((rebound.status, rebound.reason().as_str()), (421, "other-host"), "{rebound:?}");
    for (name, value) in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "none")]
    {
        let refused = proxy.send("GET", path, &[(name, value)], "").await;
        assert_eq!((refused.status, refused.reason().as_str()), (403, "browser"), "{name}: {value}: {refused:?}");
        assert!(refused.header("access-control-allow-origin").is_none());
    }
    let preflight = proxy.send("OPTIONS", path, &[("origin", "https://evil.example"), ("access-control-request-method", "GET")], "").await;
    assert_eq!(preflight.status, 403);
}

/// Services share the origin of the proxy: a page of one of them, shown by a browser that sent no mark, could read all the others. What is not passed on is marked as well.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_shows_all_the_same_is_a_page_of_no_origin() {
    let world = World::start().await;
    let proxy = world.proxy(&["--host", &world.service.origin]);
    let url = format!("{}/books/red", world.service.origin);
    for (answer, status, own) in [
        (proxy.get(&world.service.below("/page")).await, 200, vec!["default-src 'none'"]),
        (proxy.get(&world.service.below(BOOK)).await, 200, Vec::new()),
        (proxy.get(&world.service.below("/away")).await, 302, Vec::new()),
        (proxy.get("/api/auth/v1/scopes/current").await, 200, Vec::new()),
        (proxy.send("POST", "/bewit", &[], &url).await, 303, Vec::new()),
        (proxy.get("/nothing").await, 404, Vec::new()),
        (proxy.send("GET", "/api/auth/v1/ping", &[("origin", "https://evil.example")], "").await, 403, Vec::new()),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        // What the service says of its page goes on counting. Of several policies each has to allow what a page does.
        let policies = answer.headers("content-security-policy");
        assert!(own.iter().all(|policy| policies.contains(policy)) && policies.contains(&"sandbox"), "{answer:?}");
        assert_eq!(answer.headers("x-content-type-options"), ["nosniff"], "{answer:?}");
        assert_eq!(answer.headers("cross-origin-resource-policy"), ["same-origin"], "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_holds_for_each_request() {
    let world = World::start().await;
    let proxy = world.proxy(&["--host", &world.service.origin, "--scope", "notes:read:red", "--scope", "auth:current-scopes"]);
    let book = proxy.get(&world.service.below(BOOK)).await;
    assert_eq!((book.status, book.header("x-taskcluster-authorized-scopes")), (200, Some("[\"notes:read:red\",\"auth:current-scopes\"]")));
    assert_eq!(proxy.get(&world.service.below("/books/blue")).await.status, 403);
    assert_eq!(proxy.send("PUT", &world.service.below(BOOK), &[("content-type", "text/plain")], "x").await.status, 403);
    let bewit = proxy.send("POST", "/bewit", &[], &format!("{}/books/red?a=b", world.service.origin)).await;
    assert_eq!(bewit.status, 303, "{bewit:?}");
    assert_eq!(bewit.header("location"), Some(bewit.body.as_str()));
    assert_eq!(crate::support::http().get(&bewit.body).send().await.unwrap().status(), 200);
    let blue = proxy.send("POST", "/bewit", &[], &format!("{}/books/blue", world.service.origin)).await;
    assert_eq!(crate::support::http().get(&blue.body).send().await.unwrap().status(), 403);
    assert_eq!(proxy.send("POST", "/bewit", &[], "https://elsewhere.example/x").await.reason(), "host-not-listed");
    assert_eq!(proxy.send("POST", "/bewit", &[], "nonsense").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_own_signature_and_what_is_of_a_connection_do_not_go_along() {
    let world = World::start().await;
    let proxy = world.proxy(&["--host", &world.service.origin]);
    let own = [
        ("authorization", "Hawk id=\"somebody\", ts=\"1\", nonce=\"n\", mac=\"bWFj\""),
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("proxy-authorization", "Basic eDp5"),
        ("x-kept", "1"),
    ];
    let book = proxy.send("GET", &world.service.below(BOOK), &own, "").await;
    assert_eq!((book.status, book.json()["clientId"].as_str()), (200, Some("tests/job")), "{book:?}");
    let seen = book.json()["headers"].to_string();
    assert!(seen.contains("x-kept"), "{seen}");
    for gone in ["x-hop", "\"te\"", "proxy-authorization"] {
        assert!(!seen.contains(gone), "{gone} in {seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_signed_up_to_a_limit_and_streamed_beyond_it_where_that_is_meant() {
    let world = World::start().await;
    let host = &world.service.origin;
    let (signed, large) = (world.service.below(BOOK), world.service.below("/large/red"));
    let text = [("content-type", "text/plain; charset=utf-8")];
    let strict = world.proxy(&["--host", host, "--body-limit", "1000"]);
    assert_eq!(strict.send("PUT", &signed, &text, &"x".repeat(1000)).await.json()["length"], 1000);
    // In chunks, whose length nobody knows beforehand.
    let chunked = [("content-type", "text/plain"), ("transfer-encoding", "chunked")];
    let in_chunks = |part: usize| format!("{part:x}\r\n{}\r\n{part:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(part), "x".repeat(part));
    assert_eq!(chunks(&strict, &signed, &chunked, &in_chunks(500)).await.json()["length"], 1000);
    for refused in [strict.send("PUT", &signed, &text, &"x".repeat(1001)).await, chunks(&strict, &signed, &chunked, &in_chunks(600)).await]
    {
        assert_eq!((refused.status, refused.reason().as_str(), refused.json()["code"].as_str()), (413, "too-large", Some("InputTooLarge")));
    }

    let streaming = world.proxy(&["--host", host, "--body-limit", "1000", "--stream-bodies"]);
    assert_eq!(streaming.send("PUT", &signed, &text, &"x".repeat(1000)).await.json()["length"], 1000);
    let million = "x".repeat(1_500_000);
    assert_eq!(streaming.send("PUT", &large, &text, &million).await.json()["length"], 1_500_000);
    assert_eq!(chunks(&streaming, &large, &chunked, &in_chunks(600)).await.json()["length"], 1200);
    // A service that wants the hash says so.
    assert_eq!(streaming.send("PUT", &signed, &text, &"x".repeat(1001)).await.status, 401);
}

async fn chunks(proxy: &Proxy, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let address = proxy.url.trim_start_matches("http://");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let text = format!("PUT {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n{body}");
    Answer::of(tokio::net::TcpStream::connect(address).await.unwrap(), &text).await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_as_they_are_sent() {
    let world = World::start().await;
    let proxy = world.proxy(&["--host", &world.service.origin]);
    let mut stream = proxy.open(&world.service.below("/events/red")).await;
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "data: first\n\n");
    world.service.go_on.notify_one();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "data: second\n\n");
    assert!(stream.chunk().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_said_in_the_protocols_words() {
    let world = World::start().await;
    let nobody = HeldPort::new();
    let closed = nobody.address();
    let proxy = world.proxy(&["--host", &format!("http://{closed}")]);
    let away = proxy.get(&format!("/{closed}/secret?token=s3cret")).await;
    assert_eq!(
        (away.status, away.reason().as_str(), away.json()["code"].as_str()),
        (502, "unreachable", Some("ServiceUnavailable")),
        "{away:?}"
    );
    let logged = proxy.log.with("unreachable");
    assert!(
        logged.contains("refused") && !logged.contains("s3cret") && !logged.contains(world.credentials.access_token().expose()),
        "{logged}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_a_file_and_are_replaced_while_it_runs() {
    let world = World::start().await;
    let token = world.credentials.access_token().expose().to_owned();
    let named = |name: &str| {
        let issued = world.credentials.temporary(None, &["auth:current-scopes", name], 3_600_000).unwrap();
        json!({"rootUrl": world.falconer(), "clientId": issued.client_id(), "accessToken": issued.access_token().expose(), "certificate": issued.certificate()})
    };
    let file = world.secret_file("credentials.json", &named("notes:read:one").to_string());
    let run = |arguments: &[&str]| {
        let mut command = crate::support::falconer();
        command.arg("proxy").args(["--listen", "127.0.0.1:0"]).args(arguments).stdin(Stdio::null());
        command
    };
    let proxy = Proxy::of(run(&["--credentials", &file]));
    let scopes = async |proxy: &Proxy| proxy.get("/api/auth/v1/scopes/current").await.body;
    assert!(scopes(&proxy).await.contains("notes:read:one"));
    assert_eq!(proxy.send("PUT", "/credentials", &[], &named("notes:read:two").to_string()).await.reason(), "credentials-closed");
    // What is no credentials changes nothing; the next change counts.
    std::fs::write(&file, "{\"clientId\": \"half").unwrap();
    proxy.log.with("the credentials stay as they were");
    assert!(scopes(&proxy).await.contains("notes:read:one"));
    std::fs::write(&file, named("notes:read:two").to_string()).unwrap();
    proxy.log.with("credentials were read again");
    assert!(scopes(&proxy).await.contains("notes:read:two"));

    let open = Proxy::of({
        let mut command = run(&["--accept-credentials"]);
        command.env("TASKCLUSTER_ROOT_URL", world.falconer());
        command
    });
    let nobody = open.get("/api/auth/v1/scopes/current").await;
    assert_eq!((nobody.status, nobody.reason().as_str()), (401, "no-credentials"));
    assert_eq!(open.send("PUT", "/credentials", &[], &named("notes:read:three").to_string()).await.status, 200);
    assert!(scopes(&open).await.contains("notes:read:three"));
    for wrong in ["", "{", "{\"clientId\":\"a\"}", "{\"clientId\":\"a\",\"accessToken\":\"s3cret\",\"certificate\":\"x\"}"] {
        let refused = open.send("PUT", "/credentials", &[], wrong).await;
        assert_eq!(
            (refused.status, refused.reason().as_str(), refused.body.contains("s3cret")),
            (400, "bad-request", false),
            "{refused:?}"
        );
    }
    assert!(scopes(&open).await.contains("notes:read:three"));
    let read = open.get("/credentials").await;
    assert_eq!((read.status, read.header("allow"), read.body.contains(&token)), (405, Some("PUT"), false));

    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    Done::from(output_of(&mut run(&["--credentials", &file]))).refused(1, "chmod 600");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_its_owners_only_and_goes_with_the_proxy() {
    let world = World::start().await;
    let path = world.folder.path().join("falconer.sock");
    let socket = path.to_str().unwrap();
    let mut proxy = Proxy::of(world.command(&["--socket", socket]));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let curl = |url: &str| output_of(std::process::Command::new("curl").args(["-sS", "--fail-with-body", "--unix-socket", socket, url]));
    let answer = curl("http://falconer/api/auth/v1/scopes/current");
    assert!(answer.status.success() && String::from_utf8_lossy(&answer.stdout).contains("notes:write:red"), "{answer:?}");
    // No browser reaches it, so nothing is marked.
    let head = output_of(std::process::Command::new("curl").args(["-sS", "-i", "--unix-socket", socket, "http://falconer/nothing"]));
    let head = String::from_utf8_lossy(&head.stdout).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 404") && !head.contains("cross-origin-resource-policy") && !head.contains("sandbox"), "{head}");
    // Nobody else takes its place while it runs.
    Done::from(output_of(&mut world.command(&["--socket", socket]))).refused(1, "something listens there already");
    let _ = std::process::Command::new("kill").arg(proxy.child.id().to_string()).status().unwrap();
    assert_eq!(end_of(&mut proxy.child, "the proxy").code(), Some(0));
    assert!(!path.exists());

    // One that was left behind is no matter, another file is.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    drop(Proxy::of(world.command(&["--socket", socket])));
    let file = world.secret_file("file", "text");
    Done::from(output_of(&mut world.command(&["--socket", &file]))).refused(1, "no socket");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_finished_at_the_end() {
    let world = World::start().await;
    let mut proxy = world.proxy(&["--host", &world.service.origin]);
    let mut stream = proxy.open(&world.service.below("/events/red")).await;
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "data: first\n\n");
    let _ = std::process::Command::new("kill").arg(proxy.child.id().to_string()).status().unwrap();
    proxy.log.with("ending");
    world.service.go_on.notify_one();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "data: second\n\n");
    assert!(stream.chunk().await.unwrap().is_none());
    drop(stream);
    assert_eq!(end_of(&mut proxy.child, "the proxy").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_run_with_a_proxy_of_its_own() {
    let world = World::start().await;
    let script = "test -z \"$TASKCLUSTER_ACCESS_TOKEN$TASKCLUSTER_CLIENT_ID\" && curl -sS \"$TASKCLUSTER_PROXY_URL/api/auth/v1/scopes/current\" && exit 7";
    let ran = Done::from(output_of(&mut world.command(&["--scope", "auth:current-scopes", "--", "sh", "-c", script])));
    assert_eq!(
        (ran.code, ran.out.contains("auth:current-scopes"), ran.out.contains("notes:"), ran.err.as_str()),
        (7, true, false, ""),
        "{ran:?}"
    );
    Done::from(output_of(&mut world.command(&["--", "/no/such/program"]))).refused(1, "can't run /no/such/program");

    // Told to end, it tells its program.
    let mut command =
        world.command(&["--", "sh", "-c", "sleep 1000 > /dev/null & trap 'echo told; kill $!; exit 3' TERM; echo ready; wait"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = Lines::of(child.stdout.take().unwrap(), "the program");
    lines.with("ready");
    let _ = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    lines.with("told");
    assert_eq!(end_of(&mut child, "the proxy").code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_use_is_said_before_anything_is_signed() {
    let world = World::start().await;
    let refused = |arguments: &[&str], code: i32, words: &str| {
        Done::from(output_of(&mut world.command(arguments))).refused(code, words);
    };
    refused(&["--listen", "0.0.0.0:0"], 2, "--beyond-loopback");
    refused(&["--listen", "127.0.0.1:0", "--host", "https://a/b"], 2, "`https://a/b` is no host");
    refused(&["--listen", "127.0.0.1:0", "--scope", "r\u{e9}ad"], 2, "printable ASCII");
    refused(&["--listen", "127.0.0.1:0", "--credentials", "/nowhere"], 1, "can't read the credentials /nowhere");
    refused(&["--listen", "127.0.0.1:0", "--body-limit", "0"], 2, "body-limit");
    refused(&["--socket", "/tmp/x", "--", "true"], 2, "leave --socket out");
    let mut nobody = crate::support::falconer();
    nobody.args(["proxy", "--listen", "127.0.0.1:0", "--root-url", world.falconer()]);
    Done::from(output_of(&mut nobody)).refused(1, "there are no credentials");
    let printed = {
        let mut child = world.command(&["--listen", "127.0.0.1:0", "--print-env"]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = Lines::of(child.stdout.take().unwrap(), "the proxy");
        let printed = [lines.next().unwrap(), lines.next().unwrap(), lines.next().unwrap()];
        child.kill().unwrap();
        child.wait().unwrap();
        printed
    };
    assert!(printed[0].starts_with("export TASKCLUSTER_PROXY_URL=http://127.0.0.1:"), "{printed:?}");
    assert_eq!(printed[1], format!("export TASKCLUSTER_ROOT_URL={}", world.falconer()));
    assert!(printed[2].starts_with("unset TASKCLUSTER_CLIENT_ID"), "{printed:?}");
}

/// The person is asked again before the grant ends, and the requests of programs go on with what was granted then.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_renewed_before_it_ends() {
    let world = World::start().await;
    let password = "a few good words";
    let data = world.data.to_str().unwrap();
    command_with_input(&["account", "create", "ann", "--password-stdin", "--scope", "notes:*", "--data-dir", data], password).ok();
    let mut browser = Browser::new(&world.server);
    eventually("ann can sign in", || browser.sign_in("ann", password).then_some(()));
    let mut command = world.command(&["--listen", "127.0.0.1:0", "--signin", "--no-browser", "--expires", "20 seconds"]);
    command.args(["--scope", "notes:read:red", "--host", &world.service.origin]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (lines, log) = (Lines::of(child.stdout.take().unwrap(), "the proxy"), Lines::of(child.stderr.take().unwrap(), "its log"));
    let mut grant = || {
        let address = log.with("client_id=falconer-command-line").trim().to_owned();
        let page = browser.get(address.strip_prefix(world.falconer()).unwrap());
        assert!(page.body.contains("The signing proxy on your own machine") && !page.body.contains("typed_host"), "{page:?}");
        url::Url::parse(&browser.press_grant(&page, "/login/oauth/authorize/decision", "")).unwrap()
    };
    let answer = async |url: url::Url| assert_eq!(crate::support::http().get(url).send().await.unwrap().status(), 200);
    answer(grant()).await;
    let proxy = lines.with("listening on ").trim_start_matches("listening on ").to_owned();
    let who = async || {
        let book = crate::support::http().get(format!("{proxy}{}", world.service.below(BOOK))).send().await.unwrap();
        assert_eq!(book.status(), 200);
        book.headers()["x-taskcluster-proxy-temp-clientid"].to_str().unwrap().to_owned()
    };
    let first = who().await;
    let repeated = grant();
    answer(repeated).await;
    log.with("credentials were renewed");
    let second = who().await;
    assert_ne!(second, first);
    // Nobody else has it: it ends with the proxy.
    let mut still_counts = || {
        let page = browser.get("/me/grants").body;
        page.contains(second.rsplit('/').next().unwrap())
    };
    assert!(still_counts());
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert!(!still_counts());
}
