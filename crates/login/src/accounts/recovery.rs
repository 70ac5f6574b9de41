//! Recovery codes: ten, shown once, each good for one sign-in when nothing else is at hand.

use falconer_auth::Revision;
use falconer_store::{CredentialsChange, RecoveryCodeRecord};

use crate::error::LoginError;
use crate::login::Login;

impl Login {
    /// Takes one code away, for an operator: one whose hash does not open any more. Not found: there is none.
    pub async fn remove_recovery_code(&self, by: &str, id: &str) -> Result<Revision, LoginError> {
        let account = RecoveryCodeRecord::account_of(id);
        self.change_credentials(by, "recovery code removed", account, CredentialsChange::RemoveRecoveryCode(id.to_owned())).await
    }
}
