//! Applications that say who they are by an assertion that one of their keys has signed (RFC 7523 section 2.2).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::{ASSERTION_LIFETIME_MS, AssertionFault, CLIENT_ASSERTION_TYPE, ClientAssertion};
use falconer_login::LoginError;

use crate::applications::application::Application;
use crate::grants::Grants;
use crate::oauth::error::ExchangeError;

/// An assertion as it was sent.
#[derive(Clone, Copy)]
pub struct SentAssertion<'a> {
    /// `client_assertion_type`
    pub kind: &'a str,
    /// `client_assertion`
    pub assertion: &'a str,
    /// `client_id`, where it is there.
    pub id: Option<&'a str>,
    /// What its `aud` may be: the issuer, the token endpoint, and the endpoint of pushed requests at that one (RFC 9126 section 2).
    pub audiences: &'a [String],
}

impl Grants {
    /// Which application it is. What the assertion says is looked at first, then one signature is verified at most, and only one that holds is noted in the store: so a
    /// stranger causes no write.
    pub(super) async fn asserted(&self, sent: SentAssertion<'_>) -> Result<Arc<Application>, ExchangeError> {
        if sent.kind != CLIENT_ASSERTION_TYPE {
            return Err(AssertionFault::Type.into());
        }
        let assertion = ClientAssertion::read(sent.assertion)?;
        let id = assertion.subject();
        if sent.id.is_some_and(|sent| sent != id) {
            return Err(ExchangeError::InvalidRequest("The client_id in the form is not that of the client_assertion.".to_owned()));
        }
        // What has ended would count again.
        self.login.check_clock()?;
        assertion.check(sent.audiences, self.now_ms())?;
        self.look_for_application(id).await?;
        let known = self.known_application(id).filter(|known| assertion.is_signed_by(&known.keys)).ok_or(ExchangeError::InvalidClient)?;
        if !self.is_first_use("assertion", &assertion.id(), ASSERTION_LIFETIME_MS).await? {
            return Err(AssertionFault::Replayed.into());
        }
        Ok(known)
    }

    /// Whether what stands for something that counts once comes for the first time, on all servers. `lifetime_ms`: so long it can count.
    pub(crate) async fn is_first_use(&self, what: &str, id: &[u8; 32], lifetime_ms: i64) -> Result<bool, LoginError> {
        let key = format!("{what}/{}", URL_SAFE_NO_PAD.encode(id));
        // A little longer than it counts: the clocks of servers differ.
        let uses = self.store.note_attempt(&key, self.now_ms(), 2 * lifetime_ms).await;
        Ok(uses.map_err(|error| self.store_error(error))? == 1)
    }
}
