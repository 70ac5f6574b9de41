//! Signing in with a passkey: who it is, the authenticator says, so no name is typed.

use falconer_store::{PasskeyRecord, SignInMethod};
use ring::digest::{SHA256, digest};

use super::authenticator_data::{self, AuthenticatorData, LONGEST_ID};
use super::ceremony::Purpose;
use super::client_data::{self, ClientData};
use super::decode;
use super::error::PasskeyError;
use super::key::PublicKey;
use super::register::user_handle;
use super::relying_party::RelyingParty;
use crate::accounts::account::local_identity;
use crate::error::LoginError;
use crate::login::Login;
use crate::sessions::attempts::Visitor;
use crate::sessions::session::{Session, SignedIn};

/// Longest signature in bytes: RSA with 8192 bits.
const LONGEST_SIGNATURE: usize = 1024;

/// What a browser needs to ask an authenticator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInOffer {
    /// base64url.
    pub challenge: String,
    /// For a hidden field.
    pub ceremony: String,
    /// The host name.
    pub relying_party: String,
}

/// What a browser answers; bytes are base64url without padding.
#[derive(Clone, Copy, Debug, Default)]
pub struct Assertion<'a> {
    /// [`SignInOffer::ceremony`]
    pub ceremony: &'a str,
    /// `id` of the credential.
    pub id: &'a str,
    /// `clientDataJSON`
    pub client_data: &'a str,
    /// `authenticatorData`
    pub authenticator_data: &'a str,
    /// `signature`
    pub signature: &'a str,
    /// `userHandle`
    pub user: &'a str,
}

impl Login {
    /// Whom passkeys are made for here.
    pub(crate) fn relying_party(&self) -> Option<&RelyingParty> {
        self.settings.relying_party.as_ref()
    }

    /// What a browser without a session needs to ask for a passkey; `cookie_value` is its cookie of forms. `None`: there are no passkeys here.
    pub fn offer_passkey(&self, cookie_value: &str) -> Option<SignInOffer> {
        self.offer(Purpose::SignIn, cookie_value)
    }

    /// The same for somebody who signs in again, within a session.
    pub fn offer_passkey_again(&self, session: &Session) -> Option<SignInOffer> {
        self.offer(Purpose::Reauthenticate, &session.csrf)
    }

    fn offer(&self, purpose: Purpose, bound_to: &str) -> Option<SignInOffer> {
        let party = self.relying_party()?;
        let ceremony = self.begin_ceremony(purpose, bound_to);
        Some(SignInOffer { challenge: ceremony.challenge, ceremony: ceremony.token, relying_party: party.id.clone() })
    }

    /// Signs somebody in whose authenticator has answered (Web Authentication, section 7.2). Wrong passwords of others do not matter here: a signature can't be
    /// guessed, so nothing is counted.
    pub async fn sign_in_passkey(&self, assertion: &Assertion<'_>, visitor: &Visitor<'_>) -> Result<SignedIn, PasskeyError> {
        let passkey = self.prove_passkey(Purpose::SignIn, visitor.browser.unwrap_or_default(), assertion).await?;
        self.begin_passkey_session(&passkey, visitor).await
    }

    /// A session for whoever has just answered with this passkey.
    pub(crate) async fn begin_passkey_session(&self, passkey: &PasskeyRecord, visitor: &Visitor<'_>) -> Result<SignedIn, PasskeyError> {
        let signed_in = self.begin_session(&local_identity(&passkey.account), SignInMethod::Passkey, visitor).await?;
        self.with_passkey(passkey, signed_in, visitor).await
    }

    /// A session that has just begun with this passkey, unless the passkey or the session is gone already.
    pub(crate) async fn with_passkey(
        &self,
        passkey: &PasskeyRecord,
        signed_in: SignedIn,
        visitor: &Visitor<'_>,
    ) -> Result<SignedIn, PasskeyError> {
        // Whoever has removed the passkey or stopped the account meanwhile has ended all sessions, but could not yet see this one.
        let stays = self.passkey(&passkey.id).await?.is_some() && self.session(&signed_in.cookie_value).await?.is_some();
        if !stays {
            self.sign_out(&signed_in.session).await?;
            return Err(PasskeyError::Unknown);
        }
        self.know_place(&passkey.account, visitor).await?;
        Ok(signed_in)
    }

    /// Checks an answer and uses it up. What it proves is a passkey of an account; whether that may act, is the caller's to ask.
    pub(crate) async fn prove_passkey(
        &self,
        purpose: Purpose,
        bound_to: &str,
        assertion: &Assertion<'_>,
    ) -> Result<PasskeyRecord, PasskeyError> {
        self.check_clock()?;
        let party = self.relying_party().ok_or(PasskeyError::NotHere)?;
        let client_data_bytes = decode("client data", assertion.client_data, client_data::LONGEST)?;
        let data_bytes = decode("authenticator data", assertion.authenticator_data, authenticator_data::LONGEST)?;
        let signature = decode("signature", assertion.signature, LONGEST_SIGNATURE)?;
        decode("id", assertion.id, LONGEST_ID)?;
        let client_data = ClientData::read(&client_data_bytes)?;
        client_data.check("webauthn.get", party)?;
        let ceremony = self.read_ceremony(purpose, bound_to, assertion.ceremony)?;
        if !ceremony.is_answered_by(&client_data.challenge) {
            return Err(PasskeyError::NotBegunHere);
        }
        if ceremony.is_over(self.now_ms()) {
            return Err(PasskeyError::Over);
        }
        let data = AuthenticatorData::read(&data_bytes, party)?;
        if data.attested.is_some() {
            return Err(PasskeyError::WrongKeyFlag);
        }
        let passkey = self.passkey(assertion.id).await?.ok_or(PasskeyError::Unknown)?;
        if assertion.user != user_handle(&passkey) {
            return Err(PasskeyError::WrongUser);
        }
        let signed = [data_bytes.as_slice(), digest(&SHA256, &client_data_bytes).as_ref()].concat();
        if !PublicKey::read(&passkey.public_key)?.verify(&signed, &signature) {
            return Err(PasskeyError::WrongSignature);
        }
        self.use_ceremony(&ceremony).await?;
        let noted = self.store.note_passkey_use(&passkey.id, data.counter, self.now_ms()).await;
        if noted.map_err(|error| self.store_error(error))? { Ok(passkey) } else { Err(PasskeyError::Counter) }
    }

    async fn passkey(&self, id: &str) -> Result<Option<PasskeyRecord>, LoginError> {
        let passkey = self.store.passkey(id).await;
        passkey.map_err(|error| self.store_error(error))
    }
}
