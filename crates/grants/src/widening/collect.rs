//! Whoever asked for more comes for the answer with the credentials of the grant that they have; with a token it is the token endpoint, as for devices.

use falconer_auth::{ApiError, Authentication, Issued};
use falconer_login::hash_of_token;

use crate::device::authorization::DEVICE_CODE;
use crate::grants::Grants;
use crate::oauth::error::ExchangeError;

/// How a request for more stands.
pub enum Collected {
    /// Nobody has answered.
    Pending,
    /// The same, and the poll came too soon: wait five seconds longer from now on.
    SlowDown,
    /// The person has refused, or taken it back.
    Refused,
    /// It has ended without an answer, or nobody came for it.
    Expired,
    /// The other grant, with credentials of its own.
    Granted(Box<Issued>),
}

impl Grants {
    /// The answer to a request for more than the grant whose own credentials have signed. It is given once: whoever comes once more for it ends it. Not found: a code
    /// that is of no request for this grant.
    pub async fn collect_more(&self, who: &Authentication, code: &str) -> Result<Collected, ApiError> {
        let grant = self.auth.own_grant(who).await?;
        let record = self.store.device_request(&hash_of_token(DEVICE_CODE, code)).await.map_err(|error| self.read_error(error))?;
        let not_found = || ApiError::ResourceNotFound("This code is of no request for more than this grant, or was used before".to_owned());
        let record = record.filter(|record| record.for_grant.as_ref() == Some(&grant.id)).ok_or_else(not_found)?;
        self.login.check_clock()?;
        match self.take_answer(&record).await {
            Ok(grant) => {
                let credentials = self.auth.grant_credentials(&grant)?;
                Ok(Collected::Granted(Box::new(Issued { grant, credentials, repeated: false, revision: self.auth.revision() })))
            }
            Err(ExchangeError::AuthorizationPending) => Ok(Collected::Pending),
            Err(ExchangeError::SlowDown) => Ok(Collected::SlowDown),
            Err(ExchangeError::AccessDenied) => Ok(Collected::Refused),
            Err(ExchangeError::ExpiredToken) => Ok(Collected::Expired),
            Err(ExchangeError::InvalidDeviceCode) => Err(not_found()),
            Err(ExchangeError::Login(error)) => Err(error.into()),
            // Nothing else comes of a request that waits.
            Err(other) => Err(ApiError::Internal(format!("the answer to a request for more: {other}"))),
        }
    }
}
