//! The `ext` attribute: base64 of a JSON document that may hold a certificate and authorized scopes.

use crate::Failure;
use crate::certificate::field::{Field, NotScopes};
use crate::certificate::json::{self, Document, Value};
use crate::failure::ExtFault;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Number;
use std::borrow::Cow;

/// What `ext` says, read but not judged. Made before the MAC is known, so nothing here may lead to an answer by itself.
#[derive(Clone, Debug, Default)]
pub(crate) enum Ext {
    /// No `ext`, or a JSON value that restricts nothing.
    #[default]
    Absent,
    /// Not a JSON document, JSON `null`, or one that JavaScript reads and others do not: deeper than 128 levels, half a surrogate pair, a number
    /// beyond a double.
    Unreadable,
    /// A JSON object.
    Object(Box<Document>),
}

impl Ext {
    /// Reads the text of the attribute.
    pub(crate) fn parse(text: &str) -> Ext {
        // What is canonical means the same to both; everybody sends canonical texts.
        let bytes = STANDARD.decode(text).unwrap_or_else(|_| decode_lenient(text));
        // Bounded by the length of a header and by serde_json's limit on depth.
        let json = std::str::from_utf8(&bytes).map_or_else(|_| String::from_utf8_lossy(&bytes), Cow::Borrowed);
        match json::read(&json) {
            Ok((Value::Document(mut document), texts)) => {
                document.texts = texts;
                Ext::Object(document)
            }
            Ok((Value::Null, _)) | Err(_) => Ext::Unreadable,
            Ok(_) => Ext::Absent,
        }
    }

    fn document(&self) -> Option<&Document> {
        match self {
            Ext::Object(document) => Some(document),
            Ext::Absent | Ext::Unreadable => None,
        }
    }

    /// Whether there is a certificate: absent and falsy ones are none.
    pub(crate) fn has_certificate(&self) -> bool {
        self.document().is_some_and(|document| document.certificate.is_truthy())
    }

    /// Whether the certificate is what JavaScript calls an object: an array is one too, without any field.
    pub(crate) fn certificate_is_container(&self) -> bool {
        self.document().is_some_and(|document| matches!(document.certificate, Value::Certificate(_) | Value::Array(_)))
    }

    fn field(&self, field: Field) -> Option<(&Value, &str)> {
        let document = self.document()?;
        match &document.certificate {
            Value::Certificate(fields) => Some((fields.get(field), document.texts.as_str())),
            _ => None,
        }
    }

    /// A field of the certificate that is text.
    pub(crate) fn text(&self, field: Field) -> Option<&str> {
        let (value, texts) = self.field(field)?;
        value.text(texts)
    }

    /// A field of the certificate that is a number.
    pub(crate) fn number(&self, field: Field) -> Option<&Number> {
        match self.field(field)?.0 {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The seed, if the certificate has one that is text: then the request is signed with the temporary key.
    pub(crate) fn seed(&self) -> Option<&str> {
        self.text(Field::Seed)
    }

    /// The claimed issuer, any truthy value of the certificate: its text, or `None` inside if it is none.
    pub(crate) fn issuer(&self) -> Option<Option<&str>> {
        let (value, texts) = self.field(Field::Issuer)?;
        value.is_truthy().then(|| value.text(texts))
    }

    /// Whether the certificate has the key `clientId`, with any value.
    pub(crate) fn has_client_id(&self) -> bool {
        self.document().is_some_and(|document| matches!(&document.certificate, Value::Certificate(fields) if fields.has_client_id))
    }

    /// The scopes of the certificate, as given.
    pub(crate) fn certificate_scopes(&self) -> Result<Vec<&str>, NotScopes> {
        let (value, texts) = self.field(Field::Scopes).ok_or(NotScopes::NoArray)?;
        value.scopes(texts)
    }

    /// Whether there are authorized scopes: absent and falsy ones are none, an empty array is not falsy.
    pub(crate) fn has_authorized_scopes(&self) -> bool {
        self.document().is_some_and(|document| document.authorized_scopes.is_truthy())
    }

    /// The authorized scopes, as given.
    pub(crate) fn authorized_scopes(&self) -> Option<Result<Vec<&str>, NotScopes>> {
        let document = self.document().filter(|_| self.has_authorized_scopes())?;
        Some(document.authorized_scopes.scopes(&document.texts))
    }

    pub(crate) fn unreadable() -> Failure {
        ExtFault::Unreadable.into()
    }
}

/// Base64 as lenient as JavaScript servers are: both alphabets, padding optional, other characters skipped, nothing counts after the first
/// `=`, and a last character that completes no byte is dropped.
pub(crate) fn decode_lenient(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        // At most six bits are held over, so twelve fit.
        bits = (bits << 6 | u32::from(value)) & 0xfff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_leniently() {
        for (text, expected) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zg", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg", "foob"),
            ("Zm 9\u{e9}v!", "foo"),
            ("Zg==Zm9v", "f"),
            ("Z", ""),
            ("Zm9vY", "foo"),
            ("Pz8/Pj4+", "???>>>"),
            ("Pz8_Pj4-", "???>>>"),
        ] {
            assert_eq!(decode_lenient(text), expected.as_bytes(), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |depth| {
            use base64::Engine as _;
            let json = format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            Ext::parse(&base64::engine::general_purpose::STANDARD.encode(json))
        };
        assert!(matches!(deep(100), Ext::Object { .. }));
        assert!(matches!(deep(1000), Ext::Unreadable));
    }
}
