//! The kinds of hostile requests. The first is plain: the others are compared with it.

use std::io::Write;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::requests::api::{Api, Keys, bytes};

/// One kind.
pub struct Kind {
    /// What it is, in words.
    pub name: &'static str,
    /// What each is answered with.
    pub status: u16,
    /// How many times the CPU of a plain request it may take.
    pub most_times: f64,
    /// How much more than plain requests it may raise the highest memory, in MB.
    pub most_more_mb: f64,
    /// What has to be there first.
    pub prepare: fn(&Api) -> Result<()>,
    /// The request of this number.
    pub request: fn(&Api, usize) -> Result<Vec<u8>>,
}

/// Of [`plain`].
pub const PLAIN_STATUS: u16 = 200;

const fn kind(name: &'static str, status: u16, most_times: f64, request: fn(&Api, usize) -> Result<Vec<u8>>) -> Kind {
    Kind { name, status, most_times, most_more_mb: 16.0, prepare: |_| Ok(()), request }
}

/// All of them.
pub const ALL: [Kind; 12] = [
    kind("plain: authenticateHawk", PLAIN_STATUS, 1.0, plain),
    kind("10 MiB of nested lists in 78 bytes of brotli, to authenticateHawk", 413, 10.0, |api, _| {
        Ok(packed(api, "POST", "/authenticate-hawk", "br", BROTLI))
    }),
    kind("10 MiB of nested lists in gzip, to authenticateHawk", 413, 40.0, |api, _| {
        Ok(packed(api, "POST", "/authenticate-hawk", "gzip", nested()))
    }),
    kind("10 MiB of numbers in gzip, to GET /ping", 413, 40.0, |api, _| Ok(packed(api, "GET", "/ping", "gzip", numbers()))),
    kind("lists of 100 levels, for the error to repeat", 400, 10.0, |api, _| {
        let deep = format!("{{\"a\":{}0{}}}", "[".repeat(100), "]".repeat(100));
        Ok(packed(api, "PUT", "/clients/x", "gzip", &gzip(deep.as_bytes())?))
    }),
    kind("15 KiB of keys in the query", 400, 10.0, |api, _| {
        let query: String = (0..2_600).map(|at| format!("k{at}&")).collect();
        Ok(bytes(&api.address, "identity", "GET", &format!("/api/auth/v1/ping?{query}"), None, None))
    }),
    kind("10,000 scopes against 10,000, testAuthenticate by the public test client", 413, 10.0, |api, _| {
        signed(
            api,
            &Keys::new("tester", "no-secret"),
            "/api/auth/v1/test-authenticate",
            &json!({ "clientScopes": scopes(10_000), "requiredScopes": scopes(10_000) }),
        )
    }),
    kind("250 scopes against 250, testAuthenticate by the public test client", 200, 30.0, |api, _| {
        signed(
            api,
            &Keys::new("tester", "no-secret"),
            "/api/auth/v1/test-authenticate",
            &json!({ "clientScopes": scopes(250), "requiredScopes": scopes(250) }),
        )
    }),
    kind("10,000 scopes, expandScopes with credentials that do not hold", 401, 10.0, |api, _| {
        signed(api, &Keys::new("tester", "no-secret"), "/api/auth/v1/scopes/expand", &json!({ "scopes": scopes(10_000) }))
    }),
    kind("a form of 21,000 scopes", 413, 30.0, |api, _| {
        let body: String = (0..21_000).map(|at| format!("scope={at}&")).collect();
        let port = api.host_and_port()?.1;
        let head = format!(
            "POST /grant HTTP/1.1\r\nhost: localhost:{port}\r\norigin: http://localhost:{port}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok([head.as_bytes(), body.as_bytes()].concat())
    }),
    kind("a revision that never comes", 503, 10.0, |api, _| {
        let request = bytes(&api.address, "identity", "GET", "/api/auth/v1/ping", None, None);
        Ok([b"GET /api/auth/v1/ping HTTP/1.1\r\nfalconer-at-least: 999999999\r\n", after_first_line(&request)].concat())
    }),
    Kind {
        prepare: nested_roles,
        most_more_mb: 48.0,
        ..kind("roles that hand on their parameter twice, eight deep, another parameter each time", PLAIN_STATUS, 30.0, |api, at| {
            let authorized = [format!("assume:n00-{at}")];
            verification(api, &Keys::new("nested", NESTED_TOKEN), Some(&authorized), at)
        })
    },
];

/// `[`, then `[` x 100 `0` `]` x 100 `,` until there are 10 MiB: as brotli writes it with a window of 1 MiB.
const BROTLI: &[u8] = &[
    0xc7, 0xff, 0xff, 0x0f, 0x00, 0xa4, 0x59, 0x60, 0xb6, 0xba, 0x24, 0x62, 0x8f, 0x41, 0x96, 0x00, 0xb2, 0xf1, 0x75, 0x77, 0xbd, 0xdb,
    0x7f, 0x70, 0xc3, 0xff, 0xff, 0x0f, 0x00, 0x24, 0x00, 0xe2, 0xb0, 0x00, 0x74, 0xef, 0x3f, 0xf8, 0xff, 0xff, 0x01, 0x80, 0x04, 0x40,
    0x1c, 0x16, 0x80, 0xee, 0xfd, 0x07, 0xff, 0xff, 0x3f, 0x00, 0x90, 0x00, 0x88, 0xc3, 0x02, 0xd0, 0xbd, 0xff, 0x48, 0x55, 0xff, 0x0f,
    0x00, 0x52, 0x30, 0x5d, 0x25, 0xc9, 0x61, 0x01, 0x1c, 0xb3, 0xff, 0x20,
];

const NESTED_TOKEN: &str = "nested-nested-nested-nested-nested-nested-44";

/// A verification without credentials to look for: what services ask most.
pub fn plain(api: &Api, at: usize) -> Result<Vec<u8>> {
    verification(api, &api.keys, None, at)
}

fn verification(api: &Api, keys: &Keys, authorized: Option<&[String]>, at: usize) -> Result<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(at as u64);
    let header = keys.header("get", "/", ("service.example", 443), authorized, &mut random)?;
    let body = json!({ "method": "get", "resource": "/", "host": "service.example", "port": 443, "authorization": header });
    Ok(bytes(&api.address, "identity", "POST", "/api/auth/v1/authenticate-hawk", None, Some(&body)))
}

fn signed(api: &Api, keys: &Keys, path: &str, body: &serde_json::Value) -> Result<Vec<u8>> {
    api.with(keys).request("POST", path, Some(body), &mut fastrand::Rng::new())
}

fn packed(api: &Api, method: &str, path: &str, encoding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} /api/auth/v1{path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
        api.address,
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn after_first_line(request: &[u8]) -> &[u8] {
    let end = request.windows(2).position(|two| two == b"\r\n").map_or(0, |at| at + 2);
    request.get(end..).unwrap_or_default()
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

const MIB: usize = 1024 * 1024;

/// Made once: compressing takes longer than all requests.
fn nested() -> &'static [u8] {
    static MADE: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&nested_lists()).unwrap_or_default());
    &MADE
}

fn numbers() -> &'static [u8] {
    static MADE: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(format!("[{}0]", "0,".repeat(5 * MIB - 2)).as_bytes()).unwrap_or_default());
    &MADE
}

fn nested_lists() -> Vec<u8> {
    let one = format!("{}0{},", "[".repeat(100), "]".repeat(100));
    format!("[{}0]", one.repeat(10 * MIB / one.len() - 1)).into_bytes()
}

fn scopes(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("s{at}")).collect()
}

/// A client whose one scope leads through roles that each hand their parameter on twice.
fn nested_roles(api: &Api) -> Result<()> {
    const DEEP: usize = 8;
    for at in (0..DEEP).rev() {
        let below = |name: &str| if at + 1 < DEEP { format!("assume:n{:02}-{name}<..>", at + 1) } else { format!("leaf:{name}<..>") };
        let role = json!({ "description": "", "scopes": [below("a"), below("b")] });
        api.expect("PUT", &format!("/api/auth/v1/roles/n{at:02}-*"), Some(&role))?;
    }
    let client = json!({ "description": "", "expires": "2100-01-01T00:00:00Z", "scopes": ["assume:n00-*"], "accessToken": NESTED_TOKEN });
    api.expect("PUT", "/api/falconer/v1/clients/nested", Some(&client))?;
    let request = verification(api, &Keys::new("nested", NESTED_TOKEN), Some(&["assume:n00-x".to_owned()]), 0)?;
    let answer = api.connect()?.exchange(&request)?.content();
    let text = String::from_utf8(answer).context("no text")?;
    if !text.contains("auth-success") || !text.contains("leaf:b") {
        bail!("the nested client is not verified: {text}");
    }
    Ok(())
}
