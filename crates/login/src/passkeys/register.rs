//! A new passkey of the local account by which somebody is signed in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_store::{CredentialsChange, PasskeyRecord};

use super::authenticator_data::{AuthenticatorData, LONGEST_ATTESTATION, LONGEST_ID, of_attestation};
use super::ceremony::Purpose;
use super::client_data::{self, ClientData};
use super::error::PasskeyError;
use super::key::ALGORITHMS;
use super::{decode, manage};
use crate::error::LoginError;
use crate::fingerprint::fingerprint;
use crate::login::Login;
use crate::sessions::session::Session;

/// More passkeys than anybody has of one account.
const MOST: usize = 20;
/// How an authenticator can be reached (Web Authentication, section 5.8.4); what is none of these is passed over.
const TRANSPORTS: [&str; 6] = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

/// What a browser needs to have a passkey made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationOffer {
    /// base64url.
    pub challenge: String,
    /// For a hidden field.
    pub ceremony: String,
    /// The host name.
    pub relying_party: String,
    /// The user handle, in base64url: means nothing, and is the same for all passkeys of the account.
    pub user: String,
    /// The name to sign in with.
    pub name: String,
    /// For people to read.
    pub display_name: String,
    /// Ids of the passkeys that the account has: an authenticator that holds one of them makes no other.
    pub exclude: Vec<String>,
    /// Numbers of the algorithms, best first.
    pub algorithms: Vec<i64>,
}

/// What a browser answers; bytes are base64url without padding.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewPasskey<'a> {
    /// [`RegistrationOffer::ceremony`]
    pub ceremony: &'a str,
    /// `id` of the credential.
    pub id: &'a str,
    /// `clientDataJSON`
    pub client_data: &'a str,
    /// `attestationObject`
    pub attestation: &'a str,
    /// `getTransports()`, with commas in between.
    pub transports: &'a str,
    /// Whether the authenticator says that it finds the key by itself (`credProps.rk`); it is asked to.
    pub resident: bool,
    /// What the person calls it.
    pub label: &'a str,
}

/// What authenticators call the owner of this passkey: 32 random bytes in base64url. Where nothing is kept, an earlier version made it of the account's name, so that
/// whoever finds a security key could try whose it is.
pub(super) fn user_handle(passkey: &PasskeyRecord) -> String {
    passkey.user_handle.clone().unwrap_or_else(|| fingerprint(["passkey user", &passkey.account]))
}

impl Login {
    /// What a browser needs to have a passkey made. `None`: there are none here, or not for this session.
    pub async fn offer_registration(&self, session: &Session) -> Result<Option<RegistrationOffer>, LoginError> {
        let Some((party, name)) = self.relying_party().zip(session.account_name()) else { return Ok(None) };
        let passkeys = self.credentials(name).await?.passkeys;
        let user = passkeys.iter().find_map(|passkey| passkey.user_handle.clone()).unwrap_or_else(|| self.draw::<32>());
        let ceremony = self.begin_registration(&session.csrf, &user);
        Ok(Some(RegistrationOffer {
            challenge: ceremony.challenge,
            ceremony: ceremony.token,
            relying_party: party.id.clone(),
            user,
            name: name.to_owned(),
            display_name: session.person.display_name.clone(),
            exclude: passkeys.into_iter().map(|passkey| passkey.id).collect(),
            algorithms: ALGORITHMS.to_vec(),
        }))
    }

    /// Registers what an authenticator has made (Web Authentication, section 7.1).
    pub async fn register_passkey(&self, session: &Session, new: &NewPasskey<'_>) -> Result<(), PasskeyError> {
        self.check_clock()?;
        let (party, name) = self.relying_party().zip(session.account_name()).ok_or(PasskeyError::NotHere)?;
        // First of all: the challenge is not used up, and can be answered after the sign-in that is asked for.
        self.check_fresh(session)?;
        let label = manage::label(new.label)?;
        let id = decode("id", new.id, LONGEST_ID)?;
        let client_data = ClientData::read(&decode("client data", new.client_data, client_data::LONGEST)?)?;
        let attestation = decode("attestation object", new.attestation, LONGEST_ATTESTATION)?;
        client_data.check("webauthn.create", party)?;
        let ceremony = self.read_ceremony(Purpose::Register, &session.csrf, new.ceremony)?;
        if !ceremony.is_answered_by(&client_data.challenge) {
            return Err(PasskeyError::NotBegunHere);
        }
        let now_ms = self.now_ms();
        if ceremony.is_over(now_ms) {
            return Err(PasskeyError::Over);
        }
        let data = AuthenticatorData::read(&of_attestation(&attestation)?, party)?;
        let attested = data.attested.ok_or(PasskeyError::WrongKeyFlag)?;
        if attested.id != id {
            return Err(PasskeyError::WrongId);
        }
        if self.credentials(name).await?.passkeys.len() >= MOST {
            return Err(PasskeyError::TooMany(MOST));
        }
        self.use_ceremony(&ceremony).await?;
        let transports = new.transports.split(',').filter(|word| TRANSPORTS.contains(word)).take(TRANSPORTS.len());
        let passkey = PasskeyRecord {
            id: URL_SAFE_NO_PAD.encode(&attested.id),
            account: name.to_owned(),
            public_key: attested.key.written,
            counter: data.counter,
            transports: transports.map(str::to_owned).collect(),
            aaguid: attested.aaguid,
            resident: new.resident,
            label,
            created_ms: now_ms,
            last_used_ms: None,
            user_handle: ceremony.user_handle().map(str::to_owned),
        };
        self.change_credentials(&session.identity, "passkey added", name, CredentialsChange::AddPasskey(passkey)).await?;
        Ok(())
    }
}
