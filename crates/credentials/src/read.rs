//! From the six values of a request to what must be verified (hawk.md 1, 4).

use crate::authentic::{Claim, Covered, Moment, Signed};
use crate::ext::Ext;
use crate::mac::Text;
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
pub fn read<'a>(parts: &RequestParts<'a>) -> Result<Option<Signed<'a>>, Failure> {
    match parts.authorization.filter(|value| !value.is_empty()) {
        Some(value) => read_header(parts, value).map(Some),
        None if bewit::is_present(parts.resource) => read_bewit(parts).map(Some),
        None => Ok(None),
    }
}

fn read_header<'a>(parts: &RequestParts<'a>, value: &'a str) -> Result<Signed<'a>, Failure> {
    let attributes = header::parse(value)?;
    let claim = Claim {
        id: attributes.id.into(),
        ext: attributes.ext.map(Ext::parse).unwrap_or_default(),
        moment: Moment::Timestamp(attributes.ts.into()),
        hash: attributes.hash.map(Cow::Borrowed),
        host: lower_case(parts.host),
        port: parts.port,
    };
    let covered = Covered {
        nonce: attributes.nonce,
        method: parts.method,
        resource: (signed_resource(parts.resource), ""),
        ext: attributes.ext.map(Cow::Borrowed),
        app: attributes.app,
        dlg: attributes.dlg,
    };
    Ok(Signed::new(claim, covered, attributes.mac.as_bytes()))
}

fn read_bewit<'a>(parts: &RequestParts<'a>) -> Result<Signed<'a>, Failure> {
    let bewit = bewit::parse(parts.method, parts.resource)?;
    let ext = Some(bewit.ext).filter(|ext| !ext.is_empty());
    let claim = Claim {
        ext: ext.as_deref().map(Ext::parse).unwrap_or_default(),
        id: bewit.id.into(),
        moment: Moment::Expiry(bewit.exp.into()),
        hash: None,
        host: lower_case(parts.host),
        port: parts.port,
    };
    let (before, after) = bewit.resource;
    let covered = Covered { nonce: "", method: "GET", resource: (before.into(), after), ext: ext.map(Cow::Owned), app: None, dlg: None };
    Ok(Signed::new(claim, covered, bewit.mac.as_bytes()))
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

impl Normalized<'_> {
    /// Writes the text that is signed.
    pub(crate) fn write(&self, text: &mut Text) {
        text.push("hawk.1.");
        text.push_line(self.kind);
        text.push_line(self.time);
        text.push_line(self.nonce);
        text.push_line(&upper_case(self.method));
        text.push(self.resource.0);
        text.push_line(self.resource.1);
        text.push_line(&lower_case(self.host));
        text.push_number(self.port.into());
        text.push("\n");
        text.push_line(self.hash.unwrap_or_default());
        text.push_line(&escape(self.ext.unwrap_or_default()));
        if let Some(app) = self.app {
            text.push_line(app);
            text.push_line(self.dlg.unwrap_or_default());
        }
    }
}

// Nearly every method and host is already in the right case, and then nothing is copied.
fn upper_case(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_lowercase()) { text.into() } else { text.to_uppercase().into() }
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) { text.into() } else { text.to_lowercase().into() }
}

fn escape(ext: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\\', b'\n', ext.as_bytes()).is_some() { ext.replace('\\', "\\\\").replace('\n', "\\n").into() } else { ext.into() }
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
