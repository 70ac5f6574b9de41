//! Local accounts, as an administrator manages them. `by` is who does it, for the audit: an identity, or the command line's name.

use std::fmt;

use falconer_auth::Revision;
use falconer_store::AccountRecord;

use crate::account_rules::{check_display_name, check_email, check_groups, check_name, check_scopes, identity_of, person_of};
use crate::error::LoginError;
use crate::login::{Login, draw};
use crate::password::check_length;

/// An account that is to be made.
#[derive(Clone)]
pub struct NewAccount {
    /// `^[a-z][a-z0-9._-]{0,62}$`, never used before.
    pub name: String,
    /// For people, 1 to 200 characters.
    pub display_name: String,
    /// For display only.
    pub email: Option<String>,
    /// 8 to 512 bytes; without one nobody can sign in until one is set.
    pub password: Option<String>,
    /// `^[a-z0-9][a-z0-9._/-]{0,62}$` each; gives `assume:local-group:<group>`.
    pub groups: Vec<String>,
    /// Scopes of the account's own. No star that covers `assume:`, nothing of `assume:grant:`.
    pub scopes: Vec<String>,
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A local account as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name; the identity is `local/<name>`.
    pub name: String,
    /// For people.
    pub display_name: String,
    /// For display only.
    pub email: Option<String>,
    /// Sorted.
    pub groups: Vec<String>,
    /// Scopes of the account's own, as given.
    pub scopes: Vec<String>,
    /// Whether one can sign in with a password.
    pub has_password: bool,
    /// May not sign in or act.
    pub disabled: bool,
    /// Gone for good; the name stays taken.
    pub deleted: bool,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// Milliseconds since the epoch.
    pub last_modified_ms: i64,
}

impl Login {
    /// All local accounts by name, deleted ones too.
    pub async fn accounts(&self) -> Result<Vec<Account>, LoginError> {
        let records = self.store.accounts().await.map_err(|error| self.store_error(error))?;
        Ok(records.into_iter().map(shown).collect())
    }

    /// Makes an account and its person. 400 when something is not as [`NewAccount`] says, 409 when the name was ever used.
    pub async fn create_account(&self, by: &str, new: NewAccount) -> Result<Revision, LoginError> {
        let now_ms = self.now_ms();
        let account = self.account_of(new, now_ms).await?;
        let _turn = self.accounts_turn.lock().await;
        match self.auth.insert_account(by, &account, &person_of(&account, now_ms)).await.map_err(LoginError::from) {
            Err(LoginError::Conflict(_)) => Err(name_taken(&account.name)),
            outcome => outcome,
        }
    }

    /// Gives the account a new password and ends its sessions. 400, 404.
    pub async fn set_password(&self, by: &str, name: &str, password: &str) -> Result<Revision, LoginError> {
        check_length(password)?;
        let hash = self.passwords.hash(password, draw(&*self.random)).await?;
        self.change_account(by, "password set", name, true, |account| account.password_hash = Some(hash)).await
    }

    /// Replaces the groups. 400, 404.
    pub async fn set_groups(&self, by: &str, name: &str, groups: Vec<String>) -> Result<Revision, LoginError> {
        let groups = check_groups(&groups)?;
        self.change_account(by, "groups set", name, false, |account| account.groups = groups).await
    }

    /// Replaces the account's own scopes. 400, 404.
    pub async fn set_scopes(&self, by: &str, name: &str, scopes: Vec<String>) -> Result<Revision, LoginError> {
        let scopes = check_scopes(&scopes)?;
        self.change_account(by, "scopes set", name, false, |account| account.scopes = scopes).await
    }

    /// Stops the account: its sessions end, and grants and clients of the person are worth nothing until it is enabled. 404.
    pub async fn disable_account(&self, by: &str, name: &str) -> Result<Revision, LoginError> {
        self.change_account(by, "disabled", name, true, |account| account.disabled = true).await
    }

    /// Lets a disabled account in again. 404, also for a deleted one.
    pub async fn enable_account(&self, by: &str, name: &str) -> Result<Revision, LoginError> {
        self.change_account(by, "enabled", name, false, |account| account.disabled = false).await
    }

    /// Deletes the account for good, with sessions and grants; the name is never used again. 404.
    pub async fn delete_account(&self, by: &str, name: &str) -> Result<Revision, LoginError> {
        let delete = |account: &mut AccountRecord| {
            account.deleted = true;
            account.disabled = true;
            account.password_hash = None;
            account.groups.clear();
            account.scopes.clear();
        };
        let revision = self.change_account(by, "deleted", name, true, delete).await?;
        // They are worth nothing any more; this only makes the lists say so.
        self.revoke_all_grants(&identity_of(name), by, "The account was deleted").await?;
        Ok(revision)
    }

    async fn change_account(
        &self,
        by: &str,
        action: &str,
        name: &str,
        end_sessions: bool,
        change: impl FnOnce(&mut AccountRecord) + Send,
    ) -> Result<Revision, LoginError> {
        let _turn = self.accounts_turn.lock().await;
        let mut account = self.present_account(name).await?;
        change(&mut account);
        let revision = self.write_account(by, action, account).await?;
        if end_sessions {
            self.end_sessions_of(&identity_of(name), None).await?;
        }
        Ok(revision)
    }

    /// An account that is not deleted. The caller keeps the turn of accounts.
    pub(crate) async fn present_account(&self, name: &str) -> Result<AccountRecord, LoginError> {
        let account = self.store.account(name).await.map_err(|error| self.store_error(error))?;
        account
            .filter(|account| !account.deleted)
            .ok_or_else(|| LoginError::NotFound(format!("There is no account `{}`", name.escape_default())))
    }

    /// Writes account and person. The caller keeps the turn of accounts.
    pub(crate) async fn write_account(&self, by: &str, action: &str, mut account: AccountRecord) -> Result<Revision, LoginError> {
        let now_ms = self.now_ms();
        account.last_modified_ms = now_ms;
        Ok(self.auth.update_account(by, action, &account, &person_of(&account, now_ms)).await?)
    }

    /// Checks everything; hashes the password last, because that is what costs.
    pub(crate) async fn account_of(&self, new: NewAccount, now_ms: i64) -> Result<AccountRecord, LoginError> {
        check_name(&new.name)?;
        let display_name = check_display_name(&new.display_name)?;
        let email = check_email(new.email.as_deref())?;
        let groups = check_groups(&new.groups)?;
        let scopes = check_scopes(&new.scopes)?;
        let password_hash = match &new.password {
            None => None,
            Some(password) => {
                check_length(password)?;
                Some(self.passwords.hash(password, draw(&*self.random)).await?)
            }
        };
        Ok(AccountRecord {
            name: new.name,
            display_name,
            email,
            password_hash,
            groups,
            scopes,
            disabled: false,
            deleted: false,
            created_ms: now_ms,
            last_modified_ms: now_ms,
        })
    }
}

pub(crate) fn name_taken(name: &str) -> LoginError {
    LoginError::Conflict(format!("The name `{name}` is taken; names are never used again"))
}

fn shown(record: AccountRecord) -> Account {
    Account {
        has_password: record.password_hash.is_some(),
        name: record.name,
        display_name: record.display_name,
        email: record.email,
        groups: record.groups,
        scopes: record.scopes,
        disabled: record.disabled,
        deleted: record.deleted,
        created_ms: record.created_ms,
        last_modified_ms: record.last_modified_ms,
    }
}
