//! Signing requests: headers, bewits and the `ext` that goes into both.

use crate::AccessToken;
use crate::hawk::normalized::{Normalized, signed_resource};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::value::RawValue;
use std::fmt::Write as _;

/// A request to be signed. Values of attributes must be printable ASCII without `"` and `\`, and not empty; a server refuses others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// HTTP method in any letter case.
    pub method: &'a str,
    /// Path and query exactly as they go on the request line: `/api/auth/v1/clients/?prefix=a%2F`. Leaving out the query is a bad MAC.
    pub resource: &'a str,
    /// Host name without the port.
    pub host: &'a str,
    /// The port, 443 for https where the URL names none.
    pub port: u16,
    /// The time in seconds since the epoch.
    pub ts_seconds: i64,
    /// A few random characters.
    pub nonce: &'a str,
    /// The payload hash of [`crate::payload::hash`], if the payload is to be bound.
    pub hash: Option<&'a str>,
    /// What [`ext`] made.
    pub ext: Option<&'a str>,
    /// Application id; not used by this protocol's clients.
    pub app: Option<&'a str>,
    /// Delegating application; signed only together with `app`.
    pub dlg: Option<&'a str>,
}

/// The value of the `Authorization` header: `Hawk id="...", ts="...", nonce="...", mac="..."`. `id` is the clientId of the credentials, the name
/// for named temporary ones.
pub fn header(id: &str, token: &AccessToken, request: &Request<'_>) -> String {
    let ts = request.ts_seconds.to_string();
    let normalized = Normalized {
        kind: "header",
        time: &ts,
        nonce: request.nonce,
        method: request.method,
        resource: (&signed_resource(request.resource), ""),
        host: request.host,
        port: request.port,
        hash: request.hash,
        ext: request.ext,
        app: request.app,
        dlg: request.dlg,
    };
    let mac = token.key().mac(|text| normalized.write(text)).text();
    let mut header = format!("Hawk id=\"{id}\", ts=\"{ts}\", nonce=\"{}\"", request.nonce);
    let optional = [("hash", request.hash), ("ext", request.ext), ("mac", Some(mac.as_str())), ("app", request.app), ("dlg", request.dlg)];
    for (name, value) in optional {
        if let Some(value) = value {
            // Writing to a String can't fail.
            let _ = write!(header, ", {name}=\"{value}\"");
        }
    }
    header
}

/// The value of the `bewit` query parameter for a GET of `resource` (without a bewit; its query stays as it is) until `exp_seconds` since the
/// epoch. Append it as `?bewit=` or `&bewit=`.
pub fn bewit(id: &str, token: &AccessToken, resource: &str, host: &str, port: u16, exp_seconds: i64, ext: Option<&str>) -> String {
    let exp = exp_seconds.to_string();
    let normalized = Normalized {
        kind: "bewit",
        time: &exp,
        nonce: "",
        method: "GET",
        resource: (&signed_resource(resource), ""),
        host,
        port,
        hash: None,
        ext,
        app: None,
        dlg: None,
    };
    let mac = token.key().mac(|text| normalized.write(text));
    URL_SAFE_NO_PAD.encode(format!("{id}\\{exp}\\{}\\{}", mac.text(), ext.unwrap_or_default()))
}

/// The `ext` text for credentials: base64 of `{"certificate":{...},"authorizedScopes":[...]}`. `None` if there is nothing to say. `certificate` is
/// the JSON text that came with temporary credentials, and goes in as it is; what is not JSON goes in as a JSON string, so that the server
/// says what is wrong with it.
pub fn ext(certificate: Option<&str>, authorized_scopes: Option<&[String]>) -> Option<String> {
    if certificate.is_none() && authorized_scopes.is_none() {
        return None;
    }
    let mut json = String::from("{");
    if let Some(certificate) = certificate {
        json.push_str("\"certificate\":");
        match serde_json::from_str::<&RawValue>(certificate) {
            Ok(raw) => json.push_str(raw.get()),
            Err(_) => json.push_str(&serde_json::Value::from(certificate).to_string()),
        }
    }
    if let Some(scopes) = authorized_scopes {
        json.push_str(if certificate.is_some() { "," } else { "" });
        json.push_str("\"authorizedScopes\":");
        json.push_str(&serde_json::Value::from(scopes).to_string());
    }
    json.push('}');
    Some(STANDARD.encode(json))
}
