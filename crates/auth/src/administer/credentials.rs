//! What somebody signs in to a local account with. Login decides what, the store keeps it, and no node has it in memory.

use falconer_store::{CredentialsChange, Key, Revision, Write};
use serde_json::json;

use crate::change::acting::step_by;
use crate::change::decide::Decision;
use crate::error::ApiError;
use crate::node::Auth;

impl Auth {
    /// Changes the credentials of the local account of this identity; `action` is the word for the audit. 404 when nobody has the identity, 409 as
    /// [`CredentialsChange`] says.
    pub async fn change_credentials(
        &self,
        by: &str,
        action: &str,
        identity: &str,
        account: &str,
        change: CredentialsChange,
    ) -> Result<Revision, ApiError> {
        self.decide(|now| {
            if now.snapshot.identity(identity).is_none() {
                return Err(ApiError::ResourceNotFound(format!("There is no account {account}.")));
            }
            let mut step = step_by(now, by, action, vec![Key::Identity(identity.to_owned())]);
            step.detail = detail(&change);
            Ok(Decision::Write(step, Write::ChangeCredentials(account.to_owned(), change.clone()), ()))
        })
        .await
        .map(|((), revision)| revision)
    }
}

/// What the history says besides the action. Nothing that opens anything.
fn detail(change: &CredentialsChange) -> Option<serde_json::Value> {
    match change {
        CredentialsChange::AddPasskey(passkey) => Some(json!({"passkey": passkey.id, "label": passkey.label, "aaguid": passkey.aaguid})),
        CredentialsChange::RenamePasskey { id, label } => Some(json!({"passkey": id, "label": label})),
        CredentialsChange::RemovePasskey { id, .. } => Some(json!({"passkey": id})),
        CredentialsChange::ReplaceRecoveryCodes(codes) => Some(json!({"codes": codes.len()})),
        CredentialsChange::UseRecoveryCode(id) | CredentialsChange::RemoveRecoveryCode(id) => Some(json!({"code": id})),
        CredentialsChange::SetPassword { .. } => None,
    }
}
