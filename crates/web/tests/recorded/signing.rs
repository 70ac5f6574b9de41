//! Requests of the cases: bodies, credentials, signatures.

use std::collections::BTreeMap;

use falconer_credentials::{AccessToken, payload, sign, temporary};
use serde_json::{Value, json};

use super::{HOST, PORT, ROOT, ROOT_TOKEN, Request};

/// How a request is signed.
struct Signer {
    id: String,
    token: AccessToken,
    ext: Option<String>,
    ts_seconds: i64,
    hash: Option<String>,
}

pub fn request_of(case: &Value, tokens: &BTreeMap<String, String>, now_ms: i64) -> Request {
    let input = &case["input"];
    let text = |key: &str| input[key].as_str();
    let (method, mut path) = (text("method").unwrap().to_owned(), text("path").unwrap().to_owned());
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in input["headers"].as_object().into_iter().flatten() {
        headers.push((name.clone(), value.as_str().unwrap().to_owned()));
    }
    let body = input.get("body").map(|body| body_of(case, body, now_ms));
    let signed_for = &input["signedFor"];
    let host = signed_for["host"].as_str().unwrap_or(HOST);
    let port = signed_for["port"].as_u64().map_or(PORT, |port| u16::try_from(port).unwrap());
    if let Some(bewit) = input.get("bewit") {
        let signer = signer(bewit, tokens, now_ms);
        let until = now_ms / 1000 + bewit["ttl"].as_i64().unwrap_or(900);
        let bewit = sign::bewit(&signer.id, &signer.token, &path, host, port, until, signer.ext.as_deref());
        path = format!("{path}{}bewit={bewit}", if path.contains('?') { '&' } else { '?' });
    }
    if let Some(auth) = input.get("auth") {
        let mut signer = signer(auth, tokens, now_ms);
        match &input["payloadHashSigned"] {
            Value::Bool(true) => {
                let body = body.as_deref().unwrap_or_default();
                signer.hash = Some(payload::hash(if body.is_empty() { "" } else { "application/json" }, body));
            }
            Value::String(other) => signer.hash = Some(payload::hash("application/json", other.as_bytes())),
            _ => {}
        }
        headers.push(("authorization".to_owned(), signer.header(&method, &path, host, port)));
    }
    Request { method, host: text("host").map_or_else(|| format!("{HOST}:{PORT}"), str::to_owned), path, headers, body }
}

/// Five cases hold a placeholder instead of data; they are built by name.
fn body_of(case: &Value, body: &Value, now_ms: i64) -> Vec<u8> {
    let long = |length: usize| format!("{{\"scopes\":[\"{}\"]}}", "a".repeat(length - 15));
    match &case["name"].as_str().unwrap()[..3] {
        "086" => long(10_485_775).into_bytes(),
        "087" => long(10_485_755).into_bytes(),
        "124" => {
            let payload = &case["expected"]["body"]["requestInfo"]["payload"];
            let mut body = payload.clone();
            body.as_object_mut().unwrap().shift_remove("deleteOnExpiration");
            body.to_string().into_bytes()
        }
        "241" => {
            let root = Signer { ts_seconds: now_ms / 1000, ..Signer::of(ROOT, ROOT_TOKEN) };
            let authorization = root.header("GET", "/x", "h.example", 443);
            json!({ "method": "get", "resource": "/x", "host": "h.example", "port": 443, "authorization": authorization, "sourceIp": "127.0.0.1" })
                .to_string()
                .into_bytes()
        }
        _ => body.as_str().unwrap().as_bytes().to_vec(),
    }
}

fn signer(auth: &Value, tokens: &BTreeMap<String, String>, now_ms: i64) -> Signer {
    if auth.is_string() {
        // #264: named temporary credentials.
        let token = AccessToken::new("no-secret".to_owned());
        let (scopes, seed) = (["a1".to_owned()], "s".repeat(44));
        let issued = temporary::create("tester", &token, Some("my-temp"), &scopes, now_ms, now_ms + 3_600_000, &seed).unwrap();
        let ext = sign::ext(Some(&issued.certificate), None);
        return Signer { ext, ts_seconds: now_ms / 1000, ..Signer::of(&issued.client_id, issued.access_token.expose()) };
    }
    let id = auth["clientId"].as_str().unwrap();
    let token = auth["accessToken"].as_str().unwrap();
    let token = if token.starts_with('<') { tokens[id].as_str() } else { token };
    let scopes: Option<Vec<String>> =
        auth["authorizedScopes"].as_array().map(|a| a.iter().map(|s| s.as_str().unwrap().to_owned()).collect());
    Signer {
        ext: auth["ext"].as_str().map(str::to_owned).or_else(|| sign::ext(None, scopes.as_deref())),
        ts_seconds: auth["ts"].as_i64().unwrap_or(now_ms / 1000),
        hash: auth["hash"].as_str().map(str::to_owned),
        ..Signer::of(id, token)
    }
}

impl Signer {
    fn of(id: &str, token: &str) -> Signer {
        Signer { id: id.to_owned(), token: AccessToken::new(token.to_owned()), ext: None, ts_seconds: 0, hash: None }
    }

    fn header(&self, method: &str, resource: &str, host: &str, port: u16) -> String {
        let request = sign::Request {
            method,
            resource,
            host,
            port,
            ts_seconds: self.ts_seconds,
            nonce: "abcdef",
            hash: self.hash.as_deref(),
            ext: self.ext.as_deref(),
            app: None,
            dlg: None,
        };
        sign::header(&self.id, &self.token, &request)
    }
}
