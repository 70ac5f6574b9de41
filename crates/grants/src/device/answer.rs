//! `/device`: what a person says to the code that a device shows (RFC 8628 section 3.3).

use std::net::IpAddr;
use std::sync::Arc;

use falconer_auth::MINUTE_MS;
use falconer_login::{LoginError, Session, hash_of_token, network};
use falconer_store::{DeviceRequestRecord, GrantRecord};
use thiserror::Error;

use crate::applications::application::Application;
use crate::consent::request::GrantRequest;
use crate::delivery::application::Delivery;
use crate::device::authorization::USER_CODE;
use crate::device::user_code;
use crate::error::{AfterGrant, GrantError};
use crate::grants::Grants;
use crate::openid::request::{OpenIdRequest, Prompt, take_identity_scopes};
use crate::targets::target::Target;

/// How often one person may have codes looked up within the window. Who connects a device needs two or three.
const MOST_BY_PERSON: u32 = 30;
/// How often one network may.
const MOST_BY_NETWORK: u32 = 100;
const WINDOW_MS: i64 = 15 * MINUTE_MS;
/// What a MAC stands for that a page of ours carries.
const LOOKED_UP: &str = "falconer code of a device on a page";
/// The page after an answer.
pub const DEVICE_DONE: &str = "/device/done";

/// Who asks, at a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceDelivery {
    /// The application on the device.
    pub application: Arc<Application>,
    /// The address from which it asked.
    pub address: String,
    /// When it asked, milliseconds since 1970.
    pub asked_ms: i64,
    /// Somebody has granted something already: only the form that did it has anything more to say.
    pub answered: bool,
    pub(crate) openid: Option<OpenIdRequest>,
    code: String,
}

impl DeviceDelivery {
    /// The code as the device shows it.
    pub fn shown_code(&self) -> String {
        user_code::shown(&self.code)
    }
}

/// A code that a person has typed, or that a page of ours carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentCode {
    code: String,
    /// That this person has had the code looked up. What is not from a page of ours counts as typed.
    looked_up: String,
}

impl SentCode {
    /// As somebody has typed it.
    pub fn typed(code: &str) -> SentCode {
        SentCode { code: code.to_owned(), looked_up: String::new() }
    }

    /// From the query that a page of ours carries: [`GrantRequest::canonical_query`].
    pub fn on_page(query: &str) -> SentCode {
        let mut sent = SentCode::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "user_code" => sent.code = value.into_owned(),
                "looked_up" => sent.looked_up = value.into_owned(),
                _ => {}
            }
        }
        sent
    }

    /// The code as it came.
    pub fn as_str(&self) -> &str {
        &self.code
    }
}

/// Why there is no device to answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// Nobody waits for it.
    #[error(
        "No device waits for this code. Compare it with the one on the device: it has eight letters. Codes end after ten minutes, and once they were answered."
    )]
    Unknown,
    /// Everything else.
    #[error("{0}")]
    Login(#[from] LoginError),
}

impl Grants {
    /// What the device asks for that shows this code, also where its answer is a grant: whoever presses twice gets the same one. Each code that was typed counts: who
    /// guesses gets no further.
    pub async fn device_request(&self, session: &Session, address: IpAddr, sent: &SentCode) -> Result<GrantRequest, DeviceError> {
        let (code, record) = self.waiting(session, address, sent).await?;
        let application = self.known_application(&record.application).filter(|application| application.settings.device);
        let application = application.ok_or(DeviceError::Unknown)?;
        let target = Target::of_device(application.id());
        let mut scopes = if record.scopes.is_empty() { application.settings.scopes.clone() } else { record.scopes };
        let identity = take_identity_scopes(&mut scopes);
        let openid = record.identity.then_some(OpenIdRequest {
            scopes: identity,
            nonce: None,
            prompt: Prompt::Any,
            max_age_seconds: None,
            subject: None,
        });
        Ok(GrantRequest {
            target,
            description: String::new(),
            scopes,
            identity: record.identity,
            audience: Vec::new(),
            ttl_ms_wish: None,
            expires_ms_wish: None,
            name_wish: record.device_name.unwrap_or_default(),
            purpose: record.reason,
            canonical: format!(
                "user_code={}&looked_up={}",
                user_code::shown(&code),
                self.login.mac(LOOKED_UP, &[&session.person.id, &code])
            ),
            delivery: Delivery::Device(Box::new(DeviceDelivery {
                application,
                address: record.address,
                asked_ms: record.created_ms,
                openid,
                answered: record.grant.is_some(),
                code,
            })),
        })
    }

    /// The device gets nothing, and is told so.
    pub async fn refuse_device(&self, session: &Session, address: IpAddr, sent: &SentCode) -> Result<(), DeviceError> {
        let (_, record) = self.waiting(session, address, sent).await?;
        let refused = self.store.answer_device_request(&record.user_hash, None, self.now_ms()).await;
        if refused.map_err(|error| self.store_error(error))? { Ok(()) } else { Err(DeviceError::Unknown) }
    }

    /// Gives the device a grant that was made for it, unless somebody else has answered meanwhile, or nobody waits any more: then the grant ends.
    pub(crate) async fn answer_device(&self, to: &DeviceDelivery, grant: &GrantRecord) -> Result<String, AfterGrant> {
        let hash = hash_of_token(USER_CODE, &to.code);
        let answered = self.store.answer_device_request(&hash, Some(&grant.id), self.now_ms()).await;
        if answered.map_err(|error| self.store_error(error))? {
            return Ok(DEVICE_DONE.to_owned());
        }
        let identity = std::slice::from_ref(&grant.identity);
        self.login.revoke_grants(identity, &grant.identity, vec![grant.id.clone()], "the device that asked for it waits no more").await?;
        Err(AfterGrant::ended(GrantError::DeviceGone))
    }

    /// A request that has not ended and was not refused, with its code in normal form.
    async fn waiting(&self, session: &Session, address: IpAddr, sent: &SentCode) -> Result<(String, DeviceRequestRecord), DeviceError> {
        let code = user_code::normal(&sent.code).ok_or(DeviceError::Unknown)?;
        self.login.check_clock()?;
        // Whoever searches the page of a device, or presses twice, guesses nothing.
        if !self.login.has_mac(LOOKED_UP, &[&session.person.id, &code], &sent.looked_up) {
            let bounds = [
                (format!("device/typed/person/{}", session.person.id), MOST_BY_PERSON),
                (format!("device/typed/network/{}", network(address)), MOST_BY_NETWORK),
            ];
            for (key, most) in bounds {
                self.count(&key, most, WINDOW_MS).await?;
            }
        }
        let found = self.store.device_request_of_person(&hash_of_token(USER_CODE, &code)).await;
        let found = found.map_err(|error| self.read_error(error))?;
        let waits = |record: &DeviceRequestRecord| record.denied_ms.is_none() && self.now_ms() < record.expires_ms;
        found.filter(waits).map(|record| (code, record)).ok_or(DeviceError::Unknown)
    }
}
