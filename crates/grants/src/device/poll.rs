//! A device comes for the answer (RFC 8628 section 3.4).

use falconer_login::{LoginError, hash_of_token};
use falconer_store::{DeviceRequestRecord, GrantRecord, LONGEST_DEVICE_INTERVAL_MS};

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
        let hash = hash_of_token(DEVICE_CODE, code);
        let record = self.store.device_request(&hash).await.map_err(|error| self.read_error(error))?;
        let record = record.filter(|record| record.application == application.id());
        // Whoever has a grant may ask for more of it, on whatever device.
        if !application.settings.device && record.as_ref().is_none_or(|record| record.for_grant.is_none()) {
            return Err(ExchangeError::UnauthorizedClient);
        }
        let record = record.ok_or(ExchangeError::InvalidDeviceCode)?;
        self.login.check_clock()?;
        let (resources, proof_key) = match (&record.grant, record.used_ms) {
            // Whatever else is wrong with a request for what was given already: it ends that (ADR 314).
            (_, Some(_)) => (Vec::new(), None),
            // Nothing is given yet, so that no signature is verified.
            (None, None) => (self.resources_of(request, &[])?, None),
            (Some(_), None) => {
                let resources = self.resources_of(request, &[])?;
                (resources, self.proved_key(request.proof, Some(application), record.jkt.as_deref()).await?)
            }
        };
        let prepared = match &record.grant {
            Some(grant) if record.used_ms.is_none() => match self.live_grant(grant).await? {
                Some(grant) => self.prepare(&resources, &grant, application.id()).await?,
                None => None,
            },
            _ => None,
        };
        let live = self.take_answer(&record).await?;
        // Their person is gone.
        let prepared = &prepared.ok_or(ExchangeError::AccessDenied)?;
        let to = IssuedTo { application: application.id(), redirect_uri: "", resources: &resources, prepared, may_be_for: &[], proof_key };
        Ok(self.issue(&live, to).await.map_err(LoginError::after_a_change)?)
    }

    /// The grant that a person made for whoever waits; once.
    pub(crate) async fn take_answer(&self, record: &DeviceRequestRecord) -> Result<GrantRecord, ExchangeError> {
        let now_ms = self.now_ms();
        let Some(grant) = &record.grant else { return Err(self.not_yet(record, now_ms).await?) };
        if record.used_ms.is_none() && now_ms >= record.expires_ms {
            self.end_grant(grant, "its device did not come for it").await?;
            return Err(ExchangeError::ExpiredToken);
        }
        // Looked at before the use: whoever is first gets an answer, also when others come at the same time and end the grant.
        let live = self.live_grant(grant).await?;
        let is_first = self.store.use_device_request(&record.device_hash, now_ms).await.map_err(|error| self.store_error(error))?;
        if !is_first {
            self.end_grant(grant, "its device code was used more than once").await?;
            return Err(ExchangeError::InvalidDeviceCode);
        }
        // The person may have taken it back meanwhile.
        live.ok_or(ExchangeError::AccessDenied)
    }

    /// What whoever waits is told that was granted nothing.
    async fn not_yet(&self, record: &DeviceRequestRecord, now_ms: i64) -> Result<ExchangeError, ExchangeError> {
        let has_lost_its_grant = record.for_grant.is_some() && self.grant_behind(record).await?.is_none();
        if record.denied_ms.is_some() || (has_lost_its_grant && now_ms < record.expires_ms) {
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
