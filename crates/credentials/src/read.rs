//! From the six values of a request to what must be verified (hawk.md 1, 4).

use crate::authentic::{Claim, Moment, Signed};
use crate::ext::Ext;
use crate::{Failure, bewit, header};
use std::borrow::Cow;

/// The six values of `authenticateHawk` without the source address, borrowed.
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    /// HTTP method in any letter case.
    pub method: &'a str,
    /// The request target exactly as on the request line: path and query, not decoded, not normalized.
    pub resource: &'a str,
    /// Host name without the port, in any letter case; IPv6 in brackets.
    pub host: &'a str,
    /// The port that the client connected to, as it sees it.
    pub port: u16,
    /// The value of the `Authorization` header; an empty one counts as none.
    pub authorization: Option<&'a str>,
}

/// Reads the form of a request's credentials. `None`: it carries none. A failure tells about the form only, never about a client.
///
/// A non-empty `authorization` is always taken as a header; a bewit counts only without one.
pub fn read(parts: &RequestParts<'_>) -> Result<Option<Signed>, Failure> {
    match parts.authorization.filter(|value| !value.is_empty()) {
        Some(value) => read_header(parts, value).map(Some),
        None if bewit::is_present(parts.resource) => read_bewit(parts).map(Some),
        None => Ok(None),
    }
}

fn read_header(parts: &RequestParts<'_>, value: &str) -> Result<Signed, Failure> {
    let attributes = header::parse(value)?;
    let resource = signed_resource(parts.resource);
    let normalized = normalize(&Normalized {
        kind: "header",
        time: attributes.ts,
        nonce: attributes.nonce,
        method: parts.method,
        resource: (&resource, ""),
        host: parts.host,
        port: parts.port,
        hash: attributes.hash,
        ext: attributes.ext,
        app: attributes.app,
        dlg: attributes.dlg,
    });
    let claim = Claim {
        id: attributes.id.to_owned(),
        ext: attributes.ext.map(Ext::parse).unwrap_or_default(),
        moment: Moment::Timestamp(attributes.ts.to_owned()),
        hash: attributes.hash.map(str::to_owned),
        host: parts.host.to_lowercase(),
        port: parts.port,
    };
    Ok(Signed::new(claim, normalized, attributes.mac.as_bytes()))
}

fn read_bewit(parts: &RequestParts<'_>) -> Result<Signed, Failure> {
    let bewit = bewit::parse(parts.method, parts.resource)?;
    let ext = Some(bewit.ext.as_str()).filter(|ext| !ext.is_empty());
    let normalized = normalize(&Normalized {
        kind: "bewit",
        time: &bewit.exp,
        nonce: "",
        method: "GET",
        resource: bewit.resource,
        host: parts.host,
        port: parts.port,
        hash: None,
        ext,
        app: None,
        dlg: None,
    });
    let claim = Claim {
        ext: ext.map(Ext::parse).unwrap_or_default(),
        id: bewit.id,
        moment: Moment::Expiry(bewit.exp),
        hash: None,
        host: parts.host.to_lowercase(),
        port: parts.port,
    };
    Ok(Signed::new(claim, normalized, bewit.mac.as_bytes()))
}

/// What a MAC covers, in the order of its lines.
pub(crate) struct Normalized<'a> {
    /// `header` or `bewit`.
    pub kind: &'static str,
    pub time: &'a str,
    pub nonce: &'a str,
    pub method: &'a str,
    /// Two pieces that follow each other.
    pub resource: (&'a str, &'a str),
    pub host: &'a str,
    pub port: u16,
    pub hash: Option<&'a str>,
    pub ext: Option<&'a str>,
    pub app: Option<&'a str>,
    pub dlg: Option<&'a str>,
}

/// The text that is signed.
pub(crate) fn normalize(parts: &Normalized<'_>) -> String {
    use std::fmt::Write as _;
    let ext = parts.ext.unwrap_or_default();
    let mut text = String::with_capacity(160 + parts.resource.0.len() + parts.resource.1.len() + parts.host.len() + ext.len());
    let mut push = |line: &[&str]| {
        line.iter().for_each(|piece| text.push_str(piece));
        text.push('\n');
    };
    push(&["hawk.1.", parts.kind]);
    push(&[parts.time]);
    push(&[parts.nonce]);
    push(&[&upper_case(parts.method)]);
    push(&[parts.resource.0, parts.resource.1]);
    push(&[&lower_case(parts.host)]);
    // Writing to a String can't fail.
    let _ = writeln!(text, "{}", parts.port);
    let mut push = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    push(parts.hash.unwrap_or_default());
    push(&escape(ext));
    if let Some(app) = parts.app {
        push(app);
        push(parts.dlg.unwrap_or_default());
    }
    text
}

// Nearly every method and host is already in the right case, and then nothing is copied.
fn upper_case(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_lowercase()) { text.into() } else { text.to_uppercase().into() }
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) { text.into() } else { text.to_lowercase().into() }
}

fn escape(ext: &str) -> Cow<'_, str> {
    if ext.contains(['\\', '\n']) { ext.replace('\\', "\\\\").replace('\n', "\\n").into() } else { ext.into() }
}

/// The resource as it is signed: verbatim if it is empty or begins with `/`, else path and query of what is read as a URL, with the characters
/// escaped that never stand in one.
pub(crate) fn signed_resource(resource: &str) -> Cow<'_, str> {
    if resource.is_empty() || resource.starts_with('/') {
        return resource.into();
    }
    let text = resource.trim_matches(header::is_space);
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let (path, absolute) = match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => match rest.strip_prefix("//") {
            Some(rest) => (rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or_default(), true),
            None => (rest, false),
        },
        _ => (text, false),
    };
    let mut escaped = String::with_capacity(path.len() + 1);
    if absolute && !path.starts_with('/') {
        escaped.push('/');
    }
    for c in path.chars() {
        if matches!(c, ' ' | '\t' | '\r' | '\n' | '{' | '}' | '|' | '\\' | '^' | '`' | '<' | '>' | '"' | '\'') {
            escaped.push('%');
            escaped.extend([c as u32 >> 4, c as u32 & 15].iter().filter_map(|d| char::from_digit(*d, 16)).map(|d| d.to_ascii_uppercase()));
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-'))
}
