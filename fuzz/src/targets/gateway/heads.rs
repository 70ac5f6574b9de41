//! Heads of requests over a real connection: to the gateway in front of a service, and to the signing proxy. A service behind keeps what it gets.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use falconer_client::Credentials;
use falconer_gateway::rules::Rules;
use falconer_gateway::{Destinations, Gateway, InUse, Settings, SigningProxy};

use super::questions::{is_public, key, statement};
use crate::targets::{Outcome, text};

/// So long an answer is waited for: nothing here waits for anybody else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who listens, and what arrived behind.
struct Running {
    address: SocketAddr,
    upstream: SocketAddr,
    arrived: Receiver<String>,
}

thread_local! {
    static IN_FRONT: Running = running(|upstream| {
        let rules = format!(
            "falconer = \"http://127.0.0.1:1\"\norigin = \"http://localhost:8080\"\nupstream = \"http://{upstream}\"\npublic = [\"/style/{{*file}}\"]\n\
             falconer_timeout_ms = 1000\n[session]\n[[rule]]\nmethods = [\"*\"]\npath = \"/open\"\npublic = true\n\
             [[rule]]\nmethods = [\"*\"]\npath = \"/books/{{book}}\"\nscope = \"notes:read:<book>\"\n"
        );
        let rules = Rules::parse(&rules).unwrap_or_else(|problems| panic!("{problems:?}"));
        let gateway = Gateway::new(rules, Some(&key()), key()).unwrap_or_else(|error| panic!("{error}"));
        move |listener| async move {
            falconer_gateway::serve(listener, None, InUse::new(gateway), std::future::pending()).await;
        }
    });
    static SIGNING: Running = running(|upstream| {
        let destinations = Destinations::new("http://127.0.0.1:1", &[format!("http://{upstream}")]).unwrap_or_else(|error| panic!("{error}"));
        let settings = Settings {
            destinations,
            authorized_scopes: None,
            names: Vec::new(),
            body_limit_bytes: 4096,
            stream_bodies: false,
            accept_credentials: false,
            recheck: PATIENCE,
            revision: String::new(),
        };
        let credentials = Credentials::new("fuzz/client", SECRET);
        let proxy = SigningProxy::new(settings, Some(credentials)).unwrap_or_else(|error| panic!("{error}"));
        move |listener| async move {
            proxy.serve(listener, std::future::pending()).await;
        }
    });
}

const SECRET: &str = "fuzz-access-token-00000000000000000000000000-";

/// Starts a service that answers each request with nothing, and what stands before it, each on a thread that ends with the program.
fn running<F, S>(make: impl FnOnce(SocketAddr) -> S) -> Running
where
    S: FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
    F: Future<Output = ()>,
{
    let local: SocketAddr = ([127, 0, 0, 1], 0).into();
    let service = TcpListener::bind(local).unwrap_or_else(|error| panic!("{error}"));
    let upstream = service.local_addr().unwrap_or(local);
    let (sends, arrived) = channel();
    std::thread::spawn(move || {
        for mut connection in service.incoming().flatten() {
            let head = head_of(&mut connection);
            let _ = sends.send(head);
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let listener = TcpListener::bind(local).unwrap_or_else(|error| panic!("{error}"));
    let address = listener.local_addr().unwrap_or(local);
    let serves = make(upstream);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap_or_else(|error| panic!("{error}"));
        runtime.block_on(async move {
            let _ = listener.set_nonblocking(true);
            serves(tokio::net::TcpListener::from_std(listener).unwrap_or_else(|error| panic!("{error}"))).await;
        });
    });
    Running { address, upstream, arrived }
}

/// To the empty line.
fn head_of(connection: &mut TcpStream) -> String {
    let (mut head, mut part) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match connection.read(&mut part) {
            Ok(read @ 1..) => head.extend_from_slice(part.get(..read).unwrap_or_default()),
            _ => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

impl Running {
    /// Sends a head, with the body `body`: the answer, and what arrived behind.
    fn send(&self, first: &str, headers: &[&str], body: &str) -> (String, Vec<String>) {
        let mut connection = TcpStream::connect(self.address).unwrap_or_else(|error| panic!("{error}"));
        let _ = connection.set_read_timeout(Some(PATIENCE));
        let length = format!("Content-Length: {}", body.len());
        let lines: Vec<&str> =
            [first].into_iter().chain(headers.iter().copied()).chain([length.as_str(), "Connection: close", "", ""]).collect();
        let _ = connection.write_all(lines.join("\r\n").as_bytes());
        let _ = connection.write_all(body.as_bytes());
        let mut answer = Vec::new();
        let end = connection.read_to_end(&mut answer);
        assert!(end.is_ok_and(|_| answer.starts_with(b"HTTP/1.1 ")), "no answer to {first:?} {headers:?}");
        (String::from_utf8_lossy(&answer).into_owned(), self.arrived.try_iter().collect())
    }
}

/// The lines of an input, without those that frame a body or switch what follows.
fn lines<'t>(text: &'t str, upstream: &str) -> (String, Vec<&'t str>) {
    let mut lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("GET /open");
    let framing = ["content-length", "transfer-encoding", "connection", "expect"];
    let is_framing = |line: &str| framing.iter().any(|name| line.to_ascii_lowercase().trim_start().starts_with(name));
    (format!("{} HTTP/1.1", first.replace("BEHIND", upstream)), lines.filter(|line| line.contains(':') && !is_framing(line)).collect())
}

fn status_of(answer: &str) -> u16 {
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

fn values<'h>(head: &'h str, name: &str) -> Vec<&'h str> {
    // What follows the empty line is the body.
    let pairs = head.lines().skip(1).take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
    pairs.filter(|(found, _)| found.replace('_', "-").eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
}

/// A request to the gateway in front of a service: only what is public goes on, and with the gateway's own word for it.
pub(in crate::targets) fn in_front(bytes: &[u8]) -> Outcome {
    IN_FRONT.with(|running| {
        let text = text(bytes);
        let (first, headers) = lines(&text, "");
        let (answer, arrived) = running.send(&first, &headers, "");
        let status = status_of(&answer);
        assert!(matches!(status, 200..500 | 503), "{status}: {answer}");
        assert!(arrived.len() <= 1);
        for head in &arrived {
            let target = head.split(' ').nth(1).unwrap_or_default();
            assert!(is_public(target), "{head:?} was let through");
            assert!(first.contains(target), "{first:?} became {target:?}");
            let claims = values(head, "falconer-caller");
            assert!(
                claims.len() == 1 && claims.iter().all(|claims| statement(claims).get("path").is_some_and(|path| path == target)),
                "{head:?}"
            );
            assert_eq!((values(head, "host"), values(head, "x-forwarded-for")), (vec!["localhost:8080"], vec!["127.0.0.1"]), "{head:?}");
            let hawk = |value: &&str| value.trim_start().get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("hawk"));
            assert!(!values(head, "authorization").iter().any(hawk), "{head:?}");
            for name in ["x-original-uri", "x-forwarded-user", "forwarded", "x-real-ip"] {
                assert!(values(head, name).is_empty(), "{head:?}");
            }
        }
        let reason = answer.split("\"reason\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        format!("{status} {} {reason}", arrived.len())
    })
}

/// A request to the signing proxy. `BEHIND` stands for the host that may be called, which a random input would not find. The body follows an empty line.
pub(in crate::targets) fn signing(bytes: &[u8]) -> Outcome {
    SIGNING.with(|running| {
        let upstream = running.upstream.to_string();
        let text = text(bytes);
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let (first, headers) = lines(head, &upstream);
        let (answer, arrived) = running.send(&first, &headers, &body.replace("BEHIND", &upstream));
        let status = status_of(&answer);
        assert!(matches!(status, 200..500 | 502 | 504), "{status}: {answer}");
        assert!(!answer.contains(SECRET), "{answer}");
        for head in &arrived {
            assert_eq!(values(head, "host"), [upstream.as_str()], "{head:?}");
            let signature = values(head, "authorization");
            assert!(signature.len() == 1 && signature.iter().all(|value| value.starts_with("Hawk id=\"fuzz/client\"")), "{head:?}");
            assert!(values(head, "origin").is_empty() && values(head, "sec-fetch-site").is_empty(), "a browser's: {head:?}");
            let target = head.split(' ').nth(1).unwrap_or_default();
            assert!(!target.split(['?', '/']).any(|segment| segment == ".."), "{head:?}");
        }
        if answer.contains("bewit=") {
            let location = values(&answer, "location").concat();
            let allowed = location.starts_with(&format!("http://{upstream}/")) || location.starts_with("http://127.0.0.1:1/");
            assert!(status != 303 || allowed, "{location} was signed");
        }
        let reason = answer.split("\"reason\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        format!("{status} {} {reason}", arrived.len())
    })
}
