use std::fmt;

use falconer_client::{Credentials, Error};
use serde::Deserialize;
use serde_json::Value;

/// Credentials as JSON, with the root URL where it stands beside them: what `falconer signin --json` prints, and what is put to `/credentials`:
/// `{"clientId": "a/b", "accessToken": "..", "certificate": "{..}"}`. The certificate is its text, an object, or left out.
#[derive(Debug)]
pub struct GivenCredentials {
    /// Signs.
    pub credentials: Credentials,
    /// `rootUrl`.
    pub root_url: Option<String>,
}

/// Why there are no credentials in a text. `Display` shows nothing of it.
#[derive(Debug)]
pub enum BadCredentials {
    /// Not JSON of this shape, with line and column.
    NotJson(usize, usize),
    /// No clientId, or no accessToken.
    Missing(&'static str),
    /// A certificate that is none.
    Certificate(Error),
}

impl fmt::Display for BadCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadCredentials::NotJson(line, column) => {
                write!(
                    f,
                    "it is not JSON such as {{\"clientId\": \"..\", \"accessToken\": \"..\", \"certificate\": \"..\"}}, at line {line} column {column}"
                )
            }
            BadCredentials::Missing(name) => write!(f, "{name} is missing"),
            BadCredentials::Certificate(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BadCredentials {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    client_id: Option<String>,
    access_token: Option<String>,
    certificate: Option<Value>,
    root_url: Option<String>,
}

impl GivenCredentials {
    /// Reads them.
    pub fn parse(json: &[u8]) -> Result<GivenCredentials, BadCredentials> {
        // The error's own text can quote what it stumbled upon.
        let text: Text = serde_json::from_slice(json).map_err(|error| BadCredentials::NotJson(error.line(), error.column()))?;
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        let client_id = given(text.client_id).ok_or(BadCredentials::Missing("clientId"))?;
        let access_token = given(text.access_token).ok_or(BadCredentials::Missing("accessToken"))?;
        let credentials = Credentials::new(client_id, access_token);
        let credentials = match text.certificate {
            None | Some(Value::Null) => credentials,
            Some(Value::String(certificate)) if certificate.is_empty() => credentials,
            Some(Value::String(certificate)) => credentials.with_certificate(certificate).map_err(BadCredentials::Certificate)?,
            Some(certificate) => credentials.with_certificate(certificate.to_string()).map_err(BadCredentials::Certificate)?,
        };
        Ok(GivenCredentials { credentials, root_url: given(text.root_url) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_with_and_without_a_certificate() {
        for (text, expires_ms) in [
            (r#"{"clientId":"a","accessToken":"t"}"#, None),
            (r#"{"clientId":"a","accessToken":"t","certificate":""}"#, None),
            (r#"{"clientId":"a","accessToken":"t","certificate":null}"#, None),
            (r#"{"clientId":"a","accessToken":"t","certificate":"{\"expiry\":5}"}"#, Some(5)),
            (r#"{"clientId":"a","accessToken":"t","certificate":{"expiry":5}}"#, Some(5)),
        ] {
            assert_eq!(GivenCredentials::parse(text.as_bytes()).unwrap().credentials.expires_ms(), expires_ms, "{text}");
        }
        let given = GivenCredentials::parse(br#"{"clientId":"a","accessToken":"t","rootUrl":"https://auth.example.com"}"#).unwrap();
        assert_eq!(given.root_url.as_deref(), Some("https://auth.example.com"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        for (text, said) in [
            (r#"{"clientId":"a"}"#, "accessToken is missing"),
            (r#"{"accessToken":"s3cret"}"#, "clientId is missing"),
            (r#"{"clientId":"a","accessToken":"s3cret","certificate":"s3cret"}"#, "the certificate is not JSON"),
            (r#"{"clientId":"a","accessToken":["s3cret"]}"#, "it is not JSON such as"),
            ("s3cret", "line 1 column 1"),
            ("", "it is not JSON such as"),
        ] {
            let error = GivenCredentials::parse(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(said) && !format!("{error} {error:?}").contains("s3cret"), "{text}: {error} {error:?}");
        }
    }
}
