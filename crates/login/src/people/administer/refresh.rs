//! Asking a provider about somebody at once, for an administrator.

use falconer_auth::{ApiError, Revision};

use crate::accounts::account::local_name;
use crate::following::refresh::{RefreshError, Refreshment};
use crate::login::Login;
use crate::people::administer::change::Administrator;
use crate::providers::error::Fault;

/// The word of the history for it.
pub const REFRESH_ASKED: &str = "refresh asked for";

/// What came of asking about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The provider said something, and that counts now.
    Answered(Refreshment),
    /// It gave no answer. What was known counts for its time.
    Unanswered,
    /// Its answer was not accepted: the operator has to look. What was known counts for its time.
    NotAccepted,
}

impl Login {
    /// Asks the provider of this identity about it now; the history says who wanted that. It takes `auth:refresh-person:<identity>`.
    ///
    /// Errors: 404 when nobody has the identity; 400 for a local account, of which no provider knows anything; 409 when its provider is configured no longer, is asked
    /// about nobody, or is being asked about it at this moment.
    pub async fn ask_about_person(
        &self,
        who: impl Into<Administrator<'_>>,
        identity: &str,
    ) -> Result<(RefreshOutcome, Revision), ApiError> {
        let by = who.into().by("refresh");
        self.auth.check_person_scope(by, identity)?;
        if local_name(identity).is_some() && self.auth.directory().identity(identity).is_some() {
            return Err(ApiError::InputError(format!("{identity} is a local account: no provider can be asked about it")));
        }
        self.auth.note_about_identity(by, REFRESH_ASKED, identity).await?;
        let outcome = match self.refresh_person(identity).await {
            Ok(refreshment) => RefreshOutcome::Answered(refreshment),
            Err(RefreshError::Unknown) => return Err(ApiError::RequestConflict(format!("No configured provider knows {identity}"))),
            Err(RefreshError::Busy) => {
                return Err(ApiError::RequestConflict(format!("The provider is being asked about {identity} at this moment")));
            }
            Err(error @ RefreshError::NeverAsked(_)) => return Err(ApiError::RequestConflict(format!("Nobody was asked: {error}"))),
            Err(RefreshError::Login(error)) => return Err(error.into()),
            Err(RefreshError::Provider(error)) => {
                tracing::warn!(identity, %error, "a provider that was to be asked about somebody did not say what counts");
                if matches!(error.fault(), Fault::Away | Fault::Busy) { RefreshOutcome::Unanswered } else { RefreshOutcome::NotAccepted }
            }
        };
        Ok((outcome, self.auth.revision()))
    }
}
