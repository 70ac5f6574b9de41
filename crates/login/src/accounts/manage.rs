//! Local accounts, as an administrator manages them. The caller has decided that they may: the command line by standing on the machine.
//!
//! Every change writes the account and its identity in one step, so that scopes and grants follow at once. Who `by` is, goes into the audit.

use std::collections::HashMap;

use falconer_auth::{ApiError, By, Revision};
use falconer_store::{AccountRecord, CredentialsChange, CredentialsCount, CredentialsRecord};

use crate::accounts::account::{check_groups, check_name, check_own_scopes, check_profile, identity_of, local_identity};
use crate::accounts::password;
use crate::accounts::queue::Asker;
use crate::error::LoginError;
use crate::login::Login;

/// An account to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewAccount {
    /// `^[a-z][a-z0-9._-]{0,62}$`, never used before.
    pub name: String,
    /// For people to read.
    pub display_name: String,
    /// For people to read; nobody checks it.
    pub email: Option<String>,
    /// Each gives `assume:local-group:<group>`.
    pub groups: Vec<String>,
    /// The account's own; none may cover `assume:`.
    pub scopes: Vec<String>,
}

/// An account without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// The unique name.
    pub name: String,
    /// `local/<name>`
    pub identity: String,
    /// For people to read.
    pub display_name: String,
    /// For people to read; nobody has checked it.
    pub email: Option<String>,
    /// As given.
    pub groups: Vec<String>,
    /// As given.
    pub scopes: Vec<String>,
    /// Whether it can sign in with a password.
    pub has_password: bool,
    /// How many passkeys it can sign in with.
    pub passkeys: u32,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
    /// May not sign in or act.
    pub disabled: bool,
    /// Gone; the name stays taken.
    pub deleted: bool,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
}

impl Login {
    /// All accounts by name, deleted ones too.
    pub async fn accounts(&self) -> Result<Vec<AccountView>, LoginError> {
        let accounts = self.store.accounts().await;
        let accounts = accounts.map_err(|error| self.read_error(error))?;
        let counts = self.store.credentials_counts().await.map_err(|error| self.read_error(error))?;
        let mut counts: HashMap<String, CredentialsCount> = counts.into_iter().map(|count| (count.account.clone(), count)).collect();
        Ok(accounts.into_iter().map(|account| view_of(counts.remove(&account.name).unwrap_or_default(), account)).collect())
    }

    /// One account, deleted ones too.
    pub async fn account(&self, name: &str) -> Result<Option<AccountView>, LoginError> {
        let Some(account) = self.account_record(name).await? else { return Ok(None) };
        let credentials = self.credentials(name).await?;
        let count = CredentialsCount {
            account: name.to_owned(),
            has_password: credentials.password_hash.is_some(),
            passkeys: credentials.passkeys.len().try_into().unwrap_or(u32::MAX),
            recovery_codes: credentials.recovery_codes.iter().filter(|code| code.used_ms.is_none()).count().try_into().unwrap_or(u32::MAX),
        };
        Ok(Some(view_of(count, account)))
    }

    pub(crate) async fn account_record(&self, name: &str) -> Result<Option<AccountRecord>, LoginError> {
        let account = self.store.account(name).await;
        account.map_err(|error| self.read_error(error))
    }

    /// Makes an account; without a password it can't sign in until it gets one. Conflict: the name is or was in use.
    pub async fn create_account(&self, by: &str, new: &NewAccount, password: Option<&str>) -> Result<Revision, LoginError> {
        let account = self.new_account(new)?;
        let hash = match password {
            Some(password) => Some(self.hash_password(password).await?),
            None => None,
        };
        let identity = identity_of(&account, &self.new_person_id(), account.created_ms);
        Ok(self.auth.insert_account(by, &account, &identity, hash.as_deref()).await?)
    }

    /// Sets another password and ends the account's sessions; on request its grants too.
    pub async fn set_password(&self, by: &str, name: &str, password: &str, revoke_grants: bool) -> Result<Revision, LoginError> {
        let hash = self.hash_password(password).await?;
        let change = CredentialsChange::SetPassword { hash: Some(hash), instead_of: None };
        let revision = self.change_credentials(by, "password set", name, change).await?;
        let identity = local_identity(name);
        if revoke_grants {
            self.revoke_all_grants(std::slice::from_ref(&identity), by, "the password was changed")
                .await
                .map_err(LoginError::after_a_change)?;
        }
        self.end_sessions(&identity, None).await.map_err(LoginError::after_a_change)?;
        Ok(revision)
    }

    /// Takes the password away: the account needs another one. For one whose hash does not open any more.
    pub async fn clear_password(&self, by: &str, name: &str) -> Result<Revision, LoginError> {
        self.change_credentials(by, "password cleared", name, CredentialsChange::SetPassword { hash: None, instead_of: None }).await
    }

    /// Puts the account into these groups only.
    pub async fn set_groups(&self, by: &str, name: &str, groups: &[String]) -> Result<Revision, LoginError> {
        check_groups(groups)?;
        self.change_account(by, "groups set", name, |account| {
            account.groups = groups.to_vec();
            Ok(())
        })
        .await
    }

    /// Gives the account these scopes of its own only.
    pub async fn set_scopes(&self, by: &str, name: &str, scopes: &[String]) -> Result<Revision, LoginError> {
        check_own_scopes(scopes)?;
        self.change_account(by, "scopes set", name, |account| {
            account.scopes = scopes.to_vec();
            Ok(())
        })
        .await
    }

    /// Sets what people read.
    pub async fn set_profile(&self, by: &str, name: &str, display_name: &str, email: Option<&str>) -> Result<Revision, LoginError> {
        check_profile(display_name, email)?;
        self.change_account(by, "profile set", name, |account| {
            account.display_name = display_name.trim().to_owned();
            account.email = email.map(str::to_owned);
            account.email_within = None;
            Ok(())
        })
        .await
    }

    /// From now on the account may not sign in or act; its sessions and grants end.
    pub async fn disable_account(&self, by: &str, name: &str) -> Result<Revision, LoginError> {
        let revision = self
            .change_account(by, "disabled", name, |account| {
                account.disabled = true;
                Ok(())
            })
            .await?;
        self.end_everything(by, name, "the account was disabled").await?;
        Ok(revision)
    }

    /// The account may sign in again. What it granted before stays revoked.
    pub async fn enable_account(&self, by: &str, name: &str) -> Result<Revision, LoginError> {
        self.change_account(by, "enabled", name, |account| {
            account.disabled = false;
            Ok(())
        })
        .await
    }

    /// The account is gone, and with it what was known of its person; its name stays taken, because audit rows and clients hold it.
    pub async fn delete_account(&self, by: &str, name: &str) -> Result<Revision, LoginError> {
        Ok(self.delete_account_by(By::Checked(by), name).await?)
    }

    /// The same for somebody whose scopes are looked at when it is written.
    pub(crate) async fn delete_account_by(&self, by: By<'_>, name: &str) -> Result<Revision, ApiError> {
        let revision = self
            .change_account_by(by, "deleted", name, |account| {
                account.deleted = true;
                account.disabled = true;
                account.groups.clear();
                account.scopes.clear();
                account.display_name.clone_from(&account.name);
                account.email = None;
                account.email_within = None;
                Ok(())
            })
            .await?;
        self.end_everything(&by.name(), name, "the account was deleted").await?;
        Ok(revision)
    }

    /// A record that passes all rules, without a password.
    pub(crate) fn new_account(&self, new: &NewAccount) -> Result<AccountRecord, LoginError> {
        check_name(&new.name)?;
        check_profile(&new.display_name, new.email.as_deref())?;
        check_groups(&new.groups)?;
        check_own_scopes(&new.scopes)?;
        let now_ms = self.now_ms();
        Ok(AccountRecord {
            name: new.name.clone(),
            display_name: new.display_name.trim().to_owned(),
            email: new.email.clone(),
            email_within: None,
            groups: new.groups.clone(),
            scopes: new.scopes.clone(),
            disabled: false,
            deleted: false,
            created_ms: now_ms,
            last_modified_ms: now_ms,
        })
    }

    pub(crate) async fn hash_password(&self, password: &str) -> Result<String, LoginError> {
        password::check_new(password)?;
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let place = self.passwords.enter(&Asker { shares: Vec::new(), known: true })?;
        self.passwords.hash(place, password, salt).await
    }

    /// Reads, changes and writes one account, in turn. Conflict: another process has changed it in between.
    pub(crate) async fn change_account(
        &self,
        by: &str,
        action: &str,
        name: &str,
        change: impl FnOnce(&mut AccountRecord) -> Result<(), LoginError> + Send,
    ) -> Result<Revision, LoginError> {
        Ok(self.change_account_by(By::Checked(by), action, name, change).await?)
    }

    /// The same for somebody whose scopes are looked at when it is written.
    pub(crate) async fn change_account_by(
        &self,
        by: By<'_>,
        action: &str,
        name: &str,
        change: impl FnOnce(&mut AccountRecord) -> Result<(), LoginError> + Send,
    ) -> Result<Revision, ApiError> {
        let missing = || LoginError::NotFound(format!("There is no account {name}."));
        let _turn = self.account_turn.lock().await;
        self.auth.catch_up().await.map_err(|error| self.read_error(error))?;
        // The identity first: what changes after this is seen to differ from it.
        let before = self.store.identity(&local_identity(name)).await;
        let before = before.map_err(|error| self.read_error(error))?.ok_or_else(missing)?;
        let account = self.account_record(name).await?;
        let mut account = account.filter(|account| !account.deleted).ok_or_else(missing)?;
        change(&mut account)?;
        account.last_modified_ms = self.now_ms();
        // INVARIANT: every write moves this on, also within one millisecond, so that an equal identity means that nothing was written.
        let at_ms = account.last_modified_ms.max(before.refreshed_ms.saturating_add(1));
        let identity = identity_of(&account, &before.person, at_ms);
        self.auth.update_account(by, action, &before, &account, &identity).await
    }

    /// What somebody signs in to the account with; empty for a name that nobody has.
    pub(crate) async fn credentials(&self, name: &str) -> Result<CredentialsRecord, LoginError> {
        let credentials = self.store.credentials(name).await;
        credentials.map_err(|error| self.read_error(error))
    }

    /// Changes what somebody signs in to the account with.
    pub(crate) async fn change_credentials(
        &self,
        by: &str,
        action: &str,
        name: &str,
        change: CredentialsChange,
    ) -> Result<Revision, LoginError> {
        self.auth.catch_up().await.map_err(|error| self.read_error(error))?;
        let account = self.account_record(name).await?;
        if account.is_none_or(|account| account.deleted) {
            return Err(LoginError::NotFound(format!("There is no account {name}.")));
        }
        Ok(self.auth.change_credentials(by, action, &local_identity(name), name, change).await?)
    }

    async fn end_everything(&self, by: &str, name: &str, reason: &str) -> Result<(), LoginError> {
        let identity = local_identity(name);
        self.revoke_all_grants(std::slice::from_ref(&identity), by, reason).await.map_err(LoginError::after_a_change)?;
        self.end_sessions(&identity, None).await.map_err(LoginError::after_a_change)
    }
}

fn view_of(count: CredentialsCount, account: AccountRecord) -> AccountView {
    AccountView {
        identity: local_identity(&account.name),
        name: account.name,
        display_name: account.display_name,
        email: account.email,
        groups: account.groups,
        scopes: account.scopes,
        has_password: count.has_password,
        passkeys: count.passkeys,
        recovery_codes: count.recovery_codes,
        disabled: account.disabled,
        deleted: account.deleted,
        created_ms: account.created_ms,
        last_modified_ms: account.last_modified_ms,
    }
}
