//! The `ext` attribute: base64 of a JSON document that may hold a certificate and authorized scopes (hawk.md 6).

use crate::Failure;
use serde_json::Value;

/// What `ext` says, read but not judged. Made before the MAC is known, so nothing here may lead to an answer by itself.
#[derive(Clone, Debug, Default)]
pub(crate) enum Ext {
    /// No `ext`, or a JSON value that restricts nothing.
    #[default]
    Absent,
    /// Not a JSON document, JSON `null`, or one that JavaScript reads and others do not: deeper than 128 levels, half a surrogate pair, a number
    /// beyond a double.
    Unreadable,
    /// A JSON object. `Null` stands for an absent key: both mean the same.
    Object { certificate: Value, authorized_scopes: Value },
}

impl Ext {
    /// Reads the text of the attribute.
    pub(crate) fn parse(text: &str) -> Ext {
        let json = decode_lenient(text);
        // Bounded by the length of a header and by serde_json's limit on depth.
        match serde_json::from_str(&String::from_utf8_lossy(&json)) {
            Ok(Value::Object(mut object)) => Ext::Object {
                certificate: object.get_mut("certificate").map(Value::take).unwrap_or_default(),
                authorized_scopes: object.get_mut("authorizedScopes").map(Value::take).unwrap_or_default(),
            },
            Ok(Value::Null) | Err(_) => Ext::Unreadable,
            Ok(_) => Ext::Absent,
        }
    }

    /// The certificate, unless it is absent or falsy.
    pub(crate) fn certificate(&self) -> Option<&Value> {
        match self {
            Ext::Object { certificate, .. } if truthy(certificate) => Some(certificate),
            _ => None,
        }
    }

    /// The authorized scopes, unless they are absent or falsy. An empty array is not falsy.
    pub(crate) fn authorized_scopes(&self) -> Option<&Value> {
        match self {
            Ext::Object { authorized_scopes, .. } if truthy(authorized_scopes) => Some(authorized_scopes),
            _ => None,
        }
    }

    /// The claimed issuer: any truthy value of an object that is the certificate.
    pub(crate) fn issuer(&self) -> Option<&Value> {
        self.certificate()?.get("issuer").filter(|issuer| truthy(issuer))
    }

    /// The seed, if the certificate has one that is text: then the request is signed with the temporary key.
    pub(crate) fn seed(&self) -> Option<&str> {
        self.certificate()?.get("seed")?.as_str()
    }

    pub(crate) fn unreadable() -> Failure {
        Failure::ext("Failed to parse ext")
    }
}

/// JavaScript's truth: everything but null, false, zero and the empty text.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// The members of an array in which every element is a valid scope; `None` for anything else in it.
pub(crate) fn valid_scopes(values: &[Value]) -> Option<Vec<&str>> {
    values.iter().map(|value| value.as_str().filter(|scope| falconer_scopes::is_valid_scope(scope))).collect()
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
