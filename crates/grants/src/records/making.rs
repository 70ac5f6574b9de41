//! The moment from which there is a grant: what follows from that, whoever waits for the answer, and the answer.

use std::sync::Arc;

use falconer_auth::{ApiError, Issued, NewGrant, ScopeRegistries};
use falconer_login::{Session, in_a_task};
use falconer_store::GrantRecord;

use crate::consent::request::GrantRequest;
use crate::delivery::application::Delivery;
use crate::delivery::redirect::Credentials;
use crate::error::AfterGrant;
use crate::grants::Grants;
use crate::records::grant::Granted;

impl Grants {
    /// Makes a grant, and calls `once_made` with its end where it was not there before.
    ///
    /// In a task: whoever presses, breaks off and presses again gets the answer of the first press, of which nobody would hear.
    pub(crate) async fn make(
        &self,
        new: NewGrant,
        words: &ScopeRegistries,
        once_made: impl FnOnce(i64) + Send + 'static,
    ) -> Result<Issued, ApiError> {
        let (auth, store, words) = (Arc::clone(&self.auth), Arc::clone(&self.store), words.clone());
        let made = in_a_task(async move {
            let (identity, nonce, choices) = (new.identity.clone(), new.nonce.clone(), new.choices.clone());
            let issued = auth.add_read_grant(new, &words).await;
            let ends_ms = match &issued {
                Ok(issued) => (!issued.repeated).then_some(issued.grant.expires_ms),
                // The answer was lost. The next press finds the grant, if it was made.
                Err(ApiError::OutcomeUnknown(_)) => {
                    let found = store.grant_by_nonce(&identity, &nonce).await.ok().flatten();
                    found.filter(|grant| grant.choices == choices).map(|grant| grant.expires_ms)
                }
                Err(_) => None,
            };
            if let Some(ends_ms) = ends_ms {
                once_made(ends_ms);
            }
            issued
        });
        made.await?
    }

    /// The answer of a grant that there is.
    pub(crate) async fn deliver(&self, session: &Session, request: &GrantRequest, grant: &GrantRecord) -> Result<Granted, AfterGrant> {
        self.remember_identity(session, request, grant).await?;
        let location = match &request.delivery {
            Delivery::Credentials { mode, .. } => {
                let credentials = self.auth.grant_credentials(grant)?;
                let parts = Credentials {
                    client_id: &credentials.client_id,
                    access_token: credentials.access_token.expose(),
                    certificate: &credentials.certificate,
                };
                request.target.deliver(*mode, &parts)
            }
            Delivery::OAuth(to) => self.answer(to, &request.target, grant).await?,
            Delivery::Device(to) => self.answer_device(to, grant).await?,
            Delivery::Widening(to) => self.answer_widening(to, grant).await?,
        };
        Ok(Granted { location, id: grant.id.clone(), expires_ms: grant.expires_ms, revision: self.auth.revision() })
    }
}
