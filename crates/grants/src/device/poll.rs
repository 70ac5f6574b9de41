//! A device comes for the answer (RFC 8628 section 3.4).

use falconer_login::hash_of_token;
use falconer_store::{DeviceRequestRecord, LONGEST_DEVICE_INTERVAL_MS};

use crate::device::authorization::DEVICE_CODE;
use crate::grants::Grants;
use crate::oauth::error::ExchangeError;
use crate::oauth::secrets::{IssuedTo, IssuedToken};
use crate::oauth::token::TokenRequest;

impl Grants {
    /// A code that is used twice ends what the first use gave: somebody else has it too.
    pub(crate) async fn redeem_device_code(&self, request: TokenRequest<'_>) -> Result<IssuedToken, ExchangeError> {
        let code = request.required("device_code")?;
        let application = request.client.ok_or(ExchangeError::InvalidClient)?;
        if !application.settings.device {
            return Err(ExchangeError::UnauthorizedClient);
        }
        let resources = self.resources_of(request, &[])?;
        let hash = hash_of_token(DEVICE_CODE, code);
        let record = self.store.device_request(&hash).await.map_err(|error| self.read_error(error))?;
        let record = record.filter(|record| record.application == application.id()).ok_or(ExchangeError::InvalidDeviceCode)?;
        self.login.check_clock()?;
        let now_ms = self.now_ms();
        let Some(grant) = &record.grant else { return Err(self.not_yet(&record, now_ms).await?) };
        if record.used_ms.is_none() && now_ms >= record.expires_ms {
            self.end_grant(grant, "its device did not come for it").await?;
            return Err(ExchangeError::ExpiredToken);
        }
        let proof_key = self.proved_key(request.proof, Some(application), None).await?;
        // Looked at before the use: whoever is first gets an answer, also when others come at the same time and end the grant.
        let live = self.live_grant(grant).await?;
        let is_first = self.store.use_device_request(&hash, now_ms).await.map_err(|error| self.store_error(error))?;
        if !is_first {
            self.end_grant(grant, "its device code was used more than once").await?;
            return Err(ExchangeError::InvalidDeviceCode);
        }
        // The person may have taken it back meanwhile.
        let live = live.ok_or(ExchangeError::AccessDenied)?;
        let to = IssuedTo { application: application.id(), redirect_uri: "", resources: &resources, may_be_for: &[], proof_key };
        Ok(self.issue(&live, to).await?)
    }

    /// What the device is told that was granted nothing.
    async fn not_yet(&self, record: &DeviceRequestRecord, now_ms: i64) -> Result<ExchangeError, ExchangeError> {
        if record.denied_ms.is_some() {
            return Ok(ExchangeError::AccessDenied);
        }
        if now_ms >= record.expires_ms {
            return Ok(ExchangeError::ExpiredToken);
        }
        let too_soon = record.polled_ms.is_some_and(|polled_ms| now_ms < polled_ms.saturating_add(record.interval_ms));
        // A flood of polls is only read.
        if too_soon && record.interval_ms >= LONGEST_DEVICE_INTERVAL_MS {
            return Ok(ExchangeError::SlowDown);
        }
        let in_time = self.store.note_device_poll(&record.device_hash, now_ms).await.map_err(|error| self.store_error(error))?;
        Ok(if in_time { ExchangeError::AuthorizationPending } else { ExchangeError::SlowDown })
    }
}
