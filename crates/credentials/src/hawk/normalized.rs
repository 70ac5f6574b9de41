//! The text that a MAC covers.

use crate::hawk::header::is_space;
use crate::key::mac::Text;
use std::borrow::Cow;

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

pub(crate) fn lower_case(text: &str) -> Cow<'_, str> {
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
    let text = resource.trim_matches(is_space);
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
