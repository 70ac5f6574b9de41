//! `/login/oauth/device_authorization`: a device asks for a pair of codes (RFC 8628 section 3.1).

use std::net::IpAddr;

use falconer_auth::MINUTE_MS;
use falconer_login::{LoginError, hash_of_token, network};
use falconer_store::{DeviceRequestRecord, StoreError};

use crate::device::user_code;
use crate::grants::Grants;
use crate::oauth::client::client_proof::ClientProof;
use crate::oauth::error::ExchangeError;
use crate::oauth::request::authorization::{names_scopes, purpose, scopes};
use crate::oauth::request::command_line::device_name;
use crate::oauth::request::parameters::Parameters;
use crate::openid::request::asks_who;

/// What the device's code is hashed as.
pub(crate) const DEVICE_CODE: &str = "device-code";
/// What the person's code is hashed as.
pub(super) const USER_CODE: &str = "user-code";

/// A pair of codes lives so long.
const LIFE_MS: i64 = 10 * MINUTE_MS;
/// A device waits so long between two polls, until it is told to wait longer.
pub(crate) const INTERVAL_MS: i64 = 5_000;
/// So many pairs of codes are given to one network while one of them lives.
const MOST_BY_NETWORK: u32 = 50;
/// So many are given to all.
const MOST: u32 = 5_000;
/// A short code that somebody else has is drawn anew so often.
const DRAWS: usize = 3;

/// A pair of codes: secrets, so no `Debug`.
pub struct DeviceAuthorization {
    /// For the device alone.
    pub device_code: String,
    /// For the person: `BCDF-GHJK`.
    pub user_code: String,
    /// How long both live.
    pub seconds: i64,
    /// How long to wait between two polls.
    pub interval_seconds: i64,
}

impl Grants {
    /// Gives an application on a device of this address a pair of codes.
    pub async fn authorize_device(
        &self,
        parameters: &Parameters,
        proof: ClientProof<'_>,
        address: IpAddr,
    ) -> Result<DeviceAuthorization, ExchangeError> {
        let application = self.client(proof).await?.ok_or(ExchangeError::InvalidClient)?;
        if !application.settings.device {
            return Err(ExchangeError::UnauthorizedClient);
        }
        // As at the other endpoints: a token that is good for more than was asked for would be worse than none.
        if parameters.has("resource") {
            return Err(ExchangeError::InvalidTarget("What a device asks for is for no resource: leave it out"));
        }
        let scopes = if names_scopes(parameters)? { scopes(parameters, &application)? } else { Vec::new() };
        let asks_who = asks_who(if scopes.is_empty() { &application.settings.scopes } else { &scopes });
        if asks_who && !self.signs_by(application.settings.id_token_alg) {
            return Err(ExchangeError::InvalidScope("This server has no key for the ID tokens of this application".to_owned()));
        }
        let purpose = purpose(parameters).map_err(ExchangeError::InvalidRequest)?;
        let device_name = device_name(parameters, &application)?;
        self.login.check_clock()?;
        let bounds = [(format!("device/network/{}", network(address)), MOST_BY_NETWORK), ("device/all".to_owned(), MOST)];
        for (key, most) in bounds {
            self.count(&key, most, LIFE_MS).await?;
        }
        let now_ms = self.now_ms();
        for _ in 0..DRAWS {
            let device_code = self.login.draw::<32>();
            let user_code = self.login.draw_letters(user_code::LETTERS, user_code::LENGTH);
            let record = DeviceRequestRecord {
                device_hash: hash_of_token(DEVICE_CODE, &device_code),
                // It has few bits of its own. Whoever reads the database within its ten minutes could find it, and answer for nobody but themselves.
                user_hash: hash_of_token(USER_CODE, &user_code),
                application: application.id().to_owned(),
                scopes: scopes.clone(),
                identity: asks_who,
                address: address.to_canonical().to_string(),
                created_ms: now_ms,
                expires_ms: now_ms.saturating_add(LIFE_MS),
                interval_ms: INTERVAL_MS,
                polled_ms: None,
                grant: None,
                denied_ms: None,
                used_ms: None,
                for_grant: None,
                reason: purpose.clone(),
                life_ms: None,
                jkt: None,
                device_name: device_name.clone(),
            };
            match self.store.insert_device_request(&record).await {
                Err(StoreError::Conflict) => (),
                Err(error) => return Err(self.store_error(error).into()),
                Ok(()) => {
                    let user_code = user_code::shown(&user_code);
                    return Ok(DeviceAuthorization {
                        device_code,
                        user_code,
                        seconds: LIFE_MS / 1000,
                        interval_seconds: INTERVAL_MS / 1000,
                    });
                }
            }
        }
        Err(LoginError::Internal("the random codes of devices are taken".to_owned()).into())
    }
}
