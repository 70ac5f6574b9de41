//! A person's passkeys: listing, renaming and removing them.

use falconer_store::{CredentialsChange, PasskeyRecord};

use crate::error::LoginError;
use crate::login::Login;
use crate::sessions::session::Session;

/// Longest name of a passkey, in bytes.
const LONGEST: usize = 100;

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyView {
    /// For renaming and removing it.
    pub id: String,
    /// What the person calls it.
    pub label: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_used_ms: Option<i64>,
}

/// A name as a person typed it. Invalid: nothing, or too long.
pub(super) fn label(typed: &str) -> Result<String, LoginError> {
    let label = typed.trim();
    if label.is_empty() || label.chars().count() > LONGEST || label.chars().any(char::is_control) {
        return Err(LoginError::Invalid(format!("Give the passkey a name, {LONGEST} characters at most.")));
    }
    Ok(label.to_owned())
}

impl Login {
    /// The passkeys of the account by which somebody signed in, oldest first; of an operator's `account` where the command line asks.
    pub async fn passkeys(&self, account: &str) -> Result<Vec<PasskeyView>, LoginError> {
        let view = |passkey: PasskeyRecord| PasskeyView {
            id: passkey.id,
            label: passkey.label,
            created_ms: passkey.created_ms,
            last_used_ms: passkey.last_used_ms,
        };
        Ok(self.credentials(account).await?.passkeys.into_iter().map(view).collect())
    }

    /// Gives a passkey another name.
    pub async fn rename_passkey(&self, session: &Session, id: &str, name: &str) -> Result<(), LoginError> {
        self.check_fresh(session)?;
        let account = session.account_name().ok_or_else(gone)?;
        let change = CredentialsChange::RenamePasskey { id: id.to_owned(), label: label(name)? };
        self.change_credentials(&session.identity, "passkey renamed", account, change).await?;
        Ok(())
    }

    /// Removes a passkey, unless nothing would be left to sign in with: no password, no other passkey, no other account or provider. The person's other
    /// sessions end: whoever has the authenticator may have begun one.
    pub async fn remove_passkey(&self, session: &Session, id: &str) -> Result<(), LoginError> {
        self.check_fresh(session)?;
        let account = session.account_name().ok_or_else(gone)?;
        let has_another = session.person.linked.iter().any(|linked| linked.active && linked.identity != session.identity);
        let change = CredentialsChange::RemovePasskey { id: id.to_owned(), keep_a_way_in: !has_another };
        self.change_credentials(&session.identity, "passkey removed", account, change).await?;
        self.end_sessions_of_person(&session.person, Some(&session.id)).await.map_err(LoginError::after_a_change)
    }

    /// Removes passkeys of an account for an operator: this one, or all. The account's sessions end.
    pub async fn remove_passkeys_of(&self, by: &str, account: &str, id: Option<&str>) -> Result<usize, LoginError> {
        let passkeys = self.credentials(account).await?.passkeys;
        let ids: Vec<String> = passkeys.into_iter().map(|passkey| passkey.id).filter(|known| id.is_none_or(|id| id == known)).collect();
        if ids.is_empty() {
            return Err(LoginError::NotFound(format!("The account {account} has no such passkey.")));
        }
        for id in &ids {
            let change = CredentialsChange::RemovePasskey { id: id.clone(), keep_a_way_in: false };
            self.change_credentials(by, "passkey removed", account, change).await?;
        }
        let identity = crate::accounts::account::local_identity(account);
        self.end_sessions(&identity, None).await.map_err(LoginError::after_a_change)?;
        Ok(ids.len())
    }
}

fn gone() -> LoginError {
    LoginError::NotFound("There is no such passkey any more.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_as_long_as_its_characters() {
        assert!(label(&"密".repeat(100)).is_ok());
        for wrong in [String::new(), " ".to_owned(), "a\tb".to_owned(), "密".repeat(101), "a".repeat(101)] {
            assert!(label(&wrong).is_err(), "{wrong}");
        }
    }
}
