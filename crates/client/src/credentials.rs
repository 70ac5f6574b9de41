use crate::{Error, system};
use falconer_credentials::{AccessToken, slugid, temporary};
use serde_json::Value;
use std::fmt;

/// A clientId with its key, and a certificate where the credentials are temporary. Debug shows no secret.
#[derive(Clone)]
pub struct Credentials {
    client_id: String,
    access_token: AccessToken,
    certificate: Option<String>,
    expires_ms: Option<i64>,
}

impl Credentials {
    /// Permanent credentials.
    #[must_use]
    pub fn new(client_id: impl Into<String>, access_token: impl Into<String>) -> Credentials {
        Credentials {
            client_id: client_id.into(),
            access_token: AccessToken::new(access_token.into()),
            certificate: None,
            expires_ms: None,
        }
    }

    /// Makes them temporary: `certificate` is the JSON text that came along. Errors: [`Error::Settings`], if it is no JSON object.
    pub fn with_certificate(mut self, certificate: impl Into<String>) -> Result<Credentials, Error> {
        let text = certificate.into();
        let parsed: Value =
            serde_json::from_str(&text).map_err(|error| Error::Settings(format!("the certificate is not JSON: {error}")))?;
        if !parsed.is_object() {
            return Err(Error::Settings("the certificate is not a JSON object".to_owned()));
        }
        self.expires_ms = parsed.get("expiry").and_then(Value::as_i64);
        self.certificate = Some(text);
        Ok(self)
    }

    /// For display, and as the id of a signature. Never decide anything by it.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The key.
    #[must_use]
    pub fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// JSON text of the certificate of temporary credentials.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// When the certificate ends, in milliseconds since 1970. The credentials may be worth nothing earlier.
    #[must_use]
    pub fn expires_ms(&self) -> Option<i64> {
        self.expires_ms
    }

    /// Temporary credentials for some of these credentials' scopes, from now on for `lifetime_ms` (at most 31 days), made without any call.
    /// With a `name`, these credentials need `auth:create-client:<name>`.
    ///
    /// Errors: [`Error::Request`], for a name equal to this clientId, too long a lifetime, or credentials that are temporary themselves.
    /// Whether the scopes are there is for the server to decide.
    pub fn temporary<S: AsRef<str>>(&self, name: Option<&str>, scopes: &[S], lifetime_ms: i64) -> Result<Credentials, Error> {
        if self.certificate.is_some() {
            return Err(Error::Request("temporary credentials cannot make temporary credentials".to_owned()));
        }
        let start_ms = system::now_ms();
        let expiry_ms = start_ms.checked_add(lifetime_ms).ok_or_else(|| Error::Request("the lifetime is too long".to_owned()))?;
        let scopes: Vec<String> = scopes.iter().map(|scope| scope.as_ref().to_owned()).collect();
        let seed = slugid(system::random()?) + &slugid(system::random()?);
        let temporary = temporary::create(&self.client_id, &self.access_token, name, &scopes, start_ms, expiry_ms, &seed)
            .map_err(|error| Error::Request(error.to_string()))?;
        Ok(Credentials {
            client_id: temporary.client_id,
            access_token: temporary.access_token,
            certificate: Some(temporary.certificate),
            expires_ms: Some(expiry_ms),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).field("expires_ms", &self.expires_ms).finish_non_exhaustive()
    }
}
