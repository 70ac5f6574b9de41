//! Letting somebody try again who is shut out: by wrong passwords of a local account or of a directory, or by too many mails with codes.

use falconer_auth::{ApiError, Revision};
use falconer_store::IdentityRecord;

use crate::accounts::account::local_name;
use crate::error::LoginError;
use crate::login::Login;
use crate::mail::MailAddress;
use crate::people::administer::change::Administrator;
use crate::providers::by_password::counted_name;
use crate::providers::email_code::MailPurpose;
use crate::providers::provider::SignInStart;

impl Login {
    /// Lets somebody try again who is shut out. It takes `auth:unlock-person:<identity>`.
    ///
    /// Of a directory that checks passwords, what is forgotten is what was counted for the names that the directory knows them by: username, e-mail address and
    /// subject. Of a provider that mails codes, the mails to their address.
    ///
    /// Errors: 404 when nobody has the identity; 400 when nothing is counted here, because they sign in elsewhere; 409 when the provider is configured no longer.
    pub async fn unlock_person(&self, who: impl Into<Administrator<'_>>, identity: &str) -> Result<Revision, ApiError> {
        let by = who.into().by("unlock");
        self.auth.check_person_scope(by, identity)?;
        let Some(known) = self.auth.directory().identity(identity).map(|known| known.record.clone()) else {
            return Err(ApiError::ResourceNotFound(format!("Nobody has the identity {identity}")));
        };
        if let Some(name) = local_name(identity) {
            return self.unlock_account_by(by, name).await;
        }
        let Ok(provider) = self.provider(&known.provider) else {
            return Err(ApiError::RequestConflict(format!("No configured provider knows {identity}")));
        };
        let sign_in_start = provider.kind.sign_in_start();
        if sign_in_start == SignInStart::Away {
            return Err(ApiError::InputError(format!("{identity} signs in at the provider: nothing is counted here")));
        }
        // Nothing is let in without its row in the audit. Where the second part fails, whoever asks is told so and does it again.
        let revision = self.auth.note_about_identity(by, "unlocked", identity).await?;
        let forgotten =
            if sign_in_start == SignInStart::Password { self.forget_failures(&known).await } else { self.forget_mails(&known).await };
        forgotten.map_err(LoginError::after_a_change)?;
        Ok(revision)
    }

    /// Whether somebody can be shut out by what is counted here, as far as the configuration says.
    pub fn counts_attempts_of(&self, identity: &str) -> bool {
        let provider = identity.split('/').next().unwrap_or_default();
        local_name(identity).is_some() || self.provider(provider).is_ok_and(|provider| provider.kind.sign_in_start() != SignInStart::Away)
    }

    async fn forget_failures(&self, known: &IdentityRecord) -> Result<(), LoginError> {
        let names = [Some(&known.subject), known.username.as_ref(), known.email.as_ref()];
        for name in names.into_iter().flatten() {
            self.begin_new_counts(&counted_name(&known.provider, name)).await?;
        }
        Ok(())
    }

    async fn forget_mails(&self, known: &IdentityRecord) -> Result<(), LoginError> {
        match known.email.as_deref().and_then(|email| MailAddress::parse(email).ok()) {
            Some(address) => self.begin_new_mail_counts(MailPurpose::Code(&known.provider), address.as_str()).await,
            None => Ok(()),
        }
    }
}
