//! The gateway: what strangers send to the proxy beside it, as the proxy passes it on. Falconer is away, so that nothing is let through but what is public.

use std::net::{IpAddr, Ipv4Addr};

use falconer_gateway::rules::Rules;
use falconer_gateway::{Gateway, Key};
use http::{HeaderName, HeaderValue, Request};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::targets::{Outcome, magnitude, text};

const PROXIES: [&str; 5] = ["nginx", "traefik", "caddy", "envoy", "haproxy"];
/// Nobody listens there.
const RULES: &str = r#"
falconer = "http://127.0.0.1:1"
origin = "http://localhost:8080"
public = ["/style/{*file}"]
falconer_timeout_ms = 1000

[session]

[[rule]]
methods = ["GET", "PUT"]
path = "/books/{book}"
scope = "notes:read:<book>"

[[rule]]
methods = ["*"]
path = "/open"
public = true
"#;

pub(super) fn key() -> Key {
    // As long as it has to be.
    Key::of(&"k".repeat(43)).unwrap_or_else(|| panic!("a key"))
}

/// A gateway for each proxy.
struct Beside {
    runtime: Runtime,
    gateways: Vec<Gateway>,
}

thread_local! {
    static BESIDE: Beside = Beside {
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap_or_else(|error| panic!("{error}")),
        gateways: PROXIES.map(beside).into(),
    };
}

fn beside(proxy: &str) -> Gateway {
    let rules = Rules::parse(&format!("proxy = \"{proxy}\"\n{RULES}")).unwrap_or_else(|problems| panic!("{problems:?}"));
    Gateway::new(rules, Some(&key()), key()).unwrap_or_else(|error| panic!("{error}"))
}

/// What came back.
fn answer(number: usize, request: http::request::Builder) -> Option<http::Response<Vec<u8>>> {
    let (parts, ()) = request.body(()).ok()?.into_parts();
    BESIDE.with(|beside| {
        let gateway = beside.gateways.get(number % PROXIES.len())?;
        let answer = beside.runtime.block_on(gateway.answer_question(IpAddr::V4(Ipv4Addr::LOCALHOST), &parts))?;
        Some(answer.map(|body| body.to_vec()))
    })
}

/// Of it the status, and what the service would be told.
fn ask(number: usize, request: http::request::Builder) -> Option<(u16, Option<Value>, Vec<u8>)> {
    let answer = answer(number, request)?;
    let claims = answer.headers().get("falconer-caller").map(|header| statement(header.to_str().unwrap_or_default()));
    Some((answer.status().as_u16(), claims, answer.body().to_vec()))
}

/// The claims of a token of the gateway.
pub(super) fn statement(token: &str) -> Value {
    use base64::Engine as _;
    let claims = token.split('.').nth(1).and_then(|claims| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).ok());
    serde_json::from_slice(&claims.unwrap_or_default()).unwrap_or_else(|_| panic!("{token} is no statement"))
}

/// Only these paths are public, in this very spelling.
pub(super) fn is_public(target: &str) -> bool {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let is_below = path.strip_prefix("/style/").is_some_and(|rest| !rest.split('/').any(|segment| matches!(segment, "." | "..")));
    path == "/open" || is_below
}

fn judge(status: u16, claims: Option<&Value>, body: &[u8]) -> Outcome {
    assert!(body.len() < 64 * 1024 && !(501..503).contains(&status) && status < 504, "{status}");
    match claims {
        Some(claims) => {
            assert_eq!(status, 200);
            assert!(claims["path"].as_str().is_some_and(is_public), "{claims} was let through");
            assert!(claims["clientId"].is_null() && claims["host"] == "localhost:8080", "{claims}");
        }
        None => assert!(!(200..300).contains(&status), "{status} without a word to the service"),
    }
    let reason = serde_json::from_slice::<Value>(body).ok().and_then(|body| body.get("reason")?.as_str().map(str::to_owned));
    format!("{status} {}", reason.unwrap_or_default())
}

/// A question: the number of the proxy and the target on the first line, then a header a line.
pub(in crate::targets) fn question(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    let mut words = first.splitn(3, ' ');
    let number: usize = words.next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let mut request = Request::builder().method(words.next().unwrap_or("GET")).uri(words.next().unwrap_or("/"));
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value.trim())) else { continue };
        request = request.header(name, value);
    }
    match ask(number, request) {
        Some((status, told, body)) => format!("{} {}", number % PROXIES.len(), judge(status, told.as_ref(), &body)),
        None => "no request".to_owned(),
    }
}

/// Envoy's message over gRPC. The five bytes in front are made here, or hardly an input would get past them; an input that begins with `raw` has its own.
pub(in crate::targets) fn envoy(bytes: &[u8]) -> Outcome {
    let framed = match bytes.strip_prefix(b"raw") {
        Some(raw) => raw.to_vec(),
        None => [&[0][..], &u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes(), bytes].concat(),
    };
    let said = BESIDE.with(|beside| {
        let gateway = beside.gateways.get(3)?;
        beside.runtime.block_on(gateway.answer_envoy(&framed))
    });
    let Some(said) = said else { return "no question".to_owned() };
    let whole = String::from_utf8_lossy(&said);
    assert!(said.len() < 64 * 1024 && said.first() == Some(&0x0a), "no answer of the form");
    // Leave to go on has an empty status, a refusal one with a code.
    if said.get(1) == Some(&0) {
        let token = whole.split("falconer-caller").nth(1).and_then(|rest| rest.find("eyJ").and_then(|at| rest.get(at..)));
        let token: String = token.unwrap_or_default().chars().take_while(|letter| letter.is_ascii_graphic()).collect();
        return judge(200, Some(&statement(&token)), b"");
    }
    let reason = whole.split("\"reason\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    format!("refused {reason}")
}

/// A rules file: all mistakes have a line that is there, and what is read can be asked for.
pub(in crate::targets) fn rules(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    match Rules::parse(&text) {
        Ok(rules) => {
            assert!(!rules.table.rules().is_empty() && !rules.origins.is_empty());
            let gateway = Gateway::new(rules, Some(&key()), key());
            format!("{} rules", gateway.is_ok())
        }
        Err(problems) => {
            let lines = text.split('\n').count();
            assert!(!problems.0.is_empty());
            for problem in &problems.0 {
                assert!(problem.line <= lines && !problem.text.is_empty(), "{}:{} of {lines}", problem.line, problem.text);
            }
            format!("{} mistakes", magnitude(problems.0.len()))
        }
    }
}

fn asked_by_nginx(target: &str) -> http::request::Builder {
    // The second question, which has the whole answer.
    Request::builder().uri(target).header("x-original-request", format!("GET localhost:8080 {target} localhost"))
}

/// A cookie of the protected host: none that a stranger makes up is a session.
pub(in crate::targets) fn cookie(bytes: &[u8]) -> Outcome {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return "no header".to_owned() };
    let Some((status, told, body)) = ask(0, asked_by_nginx("/.falconer/sign-out").header("cookie", value)) else {
        return "no request".to_owned();
    };
    assert!(!String::from_utf8_lossy(&body).contains("You are signed in here."), "somebody is signed in");
    let named = text(bytes).matches("falconer-gateway").count();
    format!("{} {named}", judge(status, told.as_ref(), &body))
}

/// The query with which a browser comes back from Falconer, and on a second line its cookies: nobody is signed in who did not ask.
pub(in crate::targets) fn back(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let (query, cookies) = text.split_once('\n').unwrap_or((&text, ""));
    let target = format!("/.falconer/back?{query}");
    let mut request = asked_by_nginx(&target);
    if let Ok(cookies) = HeaderValue::from_str(cookies) {
        request = request.header("cookie", cookies);
    }
    let Some(answer) = answer(0, request) else { return "no request".to_owned() };
    let headers = answer.headers();
    assert!(!headers.contains_key("set-cookie") && !headers.contains_key("falconer-caller"), "somebody is signed in: {headers:?}");
    // The refusal stands at an address without what came in the query.
    let refused = headers.get("location").is_none_or(|to| to == "http://localhost:8080/.falconer/not-asked-for");
    assert!(refused, "somebody was sent on: {headers:?}");
    let named = cookies.matches("falconer-gateway").count();
    format!("{} {named}", judge(answer.status().as_u16(), None, answer.body()))
}
