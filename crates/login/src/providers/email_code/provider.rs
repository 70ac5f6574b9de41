//! Who may sign in by a code, and who they are.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};
use url::Url;

use super::settings::{Allowed, EmailCodeSettings, EmailCodeSettingsError};
use crate::mail::{MailAddress, Mailer};
use crate::providers::error::ProviderError;
use crate::providers::provider::{Answer, Attempt, Attributes, Found, IdentityProvider, Keeper, Known, Refreshed, SignInStart, Turn};

/// People who prove to read mail at an address.
pub struct EmailCodeProvider {
    settings: EmailCodeSettings,
    allowed: Allowed,
    mailer: Arc<dyn Mailer>,
}

impl EmailCodeProvider {
    /// Nobody is asked yet.
    pub fn new(settings: EmailCodeSettings, mailer: Arc<dyn Mailer>) -> Result<EmailCodeProvider, EmailCodeSettingsError> {
        let allowed = settings.read()?;
        Ok(EmailCodeProvider { settings, allowed, mailer })
    }
}

#[async_trait]
impl IdentityProvider for EmailCodeProvider {
    fn sign_in_start(&self) -> SignInStart {
        SignInStart::Address
    }

    fn known_by(&self) -> String {
        "email_code address".to_owned()
    }

    /// Nobody goes away.
    async fn begin(&self, _: &Attempt, _: i64) -> Result<Url, ProviderError> {
        Err(ProviderError::UnknownProvider)
    }

    async fn finish(&self, _: Turn, _: &Attempt, answer: &Answer, now_ms: i64) -> Result<Found, ProviderError> {
        let Answer::Address(address) = answer else { return Err(ProviderError::NoCode) };
        if !self.allowed.has(address) {
            return Err(ProviderError::AddressNotAllowed);
        }
        Ok(Found { attributes: attributes(address), handle: None, proved_ms: Some(now_ms) })
    }

    /// That somebody still reads mail there, only they can say.
    async fn refresh(&self, _: &Known<'_>, _: &dyn Keeper, _: i64) -> Result<Refreshed, ProviderError> {
        Ok(Refreshed::CannotBeAsked)
    }

    async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        let mut found = self.mailer.probe().await?;
        let whose = self.settings.domains.join(", ");
        found.push(("whose addresses sign in", if whose == "*" { "everybody's".to_owned() } else { whose }));
        Ok(found)
    }

    /// `{"email": "ann@example.com"}`
    fn attributes(&self, claims: &Map<String, Value>) -> Result<Attributes, ProviderError> {
        let email = claims.get("email").and_then(Value::as_str).ok_or(ProviderError::Claim("email"))?;
        let address = MailAddress::parse(email).map_err(|_| ProviderError::Claim("email"))?;
        if self.allowed.has(&address) { Ok(attributes(&address)) } else { Err(ProviderError::AddressNotAllowed) }
    }
}

fn attributes(address: &MailAddress) -> Attributes {
    Attributes {
        subject: address.as_str().to_owned(),
        display_name: address.as_str().to_owned(),
        email: Some(address.as_str().to_owned()),
        email_verified: true,
        ..Attributes::default()
    }
}
