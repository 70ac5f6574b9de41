//! What a local account may be called, belong to and hold.

use falconer_scopes::{covers, is_valid_scope};
use falconer_store::{AccountRecord, IdentityRecord};

use crate::error::LoginError;

/// The provider of local accounts.
pub(crate) const LOCAL: &str = "local";
const LONGEST_NAME: usize = 63;
const LONGEST_DISPLAY_NAME: usize = 200;
const LONGEST_EMAIL: usize = 254;
const MOST_GROUPS: usize = 200;
const MOST_SCOPES: usize = 1000;
const LONGEST_SCOPE: usize = 2048;

/// `local/<name>`.
pub(crate) fn identity_of(name: &str) -> String {
    format!("{LOCAL}/{name}")
}

/// Whether this is a name of a local account: `^[a-z][a-z0-9._-]{0,62}$`.
pub fn is_valid_account_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
}

/// Whether this is a name of a local group: `^[a-z0-9][a-z0-9._/-]{0,62}$`.
pub fn is_valid_group(group: &str) -> bool {
    group.len() <= LONGEST_NAME
        && group.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-' | b'/'))
}

pub(crate) fn check_name(name: &str) -> Result<(), LoginError> {
    if is_valid_account_name(name) {
        return Ok(());
    }
    refuse("A name begins with a letter a-z and has up to 63 characters of a-z, 0-9, `.`, `_` and `-`")
}

/// The text without white space around it.
pub(crate) fn check_display_name(text: &str) -> Result<String, LoginError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_DISPLAY_NAME || text.chars().any(char::is_control) {
        return refuse(format!("A display name has 1 to {LONGEST_DISPLAY_NAME} characters, none of them a control character"));
    }
    Ok(text.to_owned())
}

/// Nothing, or the address without white space around it. It is for display: nothing is proved by it.
pub(crate) fn check_email(email: Option<&str>) -> Result<Option<String>, LoginError> {
    let Some(email) = email.map(str::trim).filter(|email| !email.is_empty()) else { return Ok(None) };
    let parts = email.split_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    if parts.is_none() || email.len() > LONGEST_EMAIL || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("An e-mail address looks like ann@example.com");
    }
    Ok(Some(email.to_owned()))
}

/// Sorted, each once.
pub(crate) fn check_groups(groups: &[String]) -> Result<Vec<String>, LoginError> {
    if let Some(bad) = groups.iter().find(|group| !is_valid_group(group)) {
        return refuse(format!(
            "`{}` is no group: one begins with a-z or 0-9 and has up to 63 characters of a-z, 0-9, `.`, `_`, `/` and `-`",
            bad.escape_default()
        ));
    }
    if groups.len() > MOST_GROUPS {
        return refuse(format!("An account is in at most {MOST_GROUPS} groups"));
    }
    let mut groups = groups.to_vec();
    groups.sort();
    groups.dedup();
    Ok(groups)
}

/// Each once, in the order given. No star over `assume:`: it would make the person every role at once (and with it, everybody else).
pub(crate) fn check_scopes(scopes: &[String]) -> Result<Vec<String>, LoginError> {
    if scopes.len() > MOST_SCOPES {
        return refuse(format!("An account has at most {MOST_SCOPES} scopes of its own"));
    }
    let mut kept: Vec<String> = Vec::with_capacity(scopes.len());
    for scope in scopes {
        check_scope(scope)?;
        if !kept.contains(scope) {
            kept.push(scope.clone());
        }
    }
    Ok(kept)
}

/// The same for what the configuration gives the first administrator.
pub(crate) fn check_setup_scopes(scopes: &[String]) -> Result<(), LoginError> {
    check_scopes(scopes).map(|_| ())
}

fn check_scope(scope: &str) -> Result<(), LoginError> {
    let shown = scope.escape_default();
    if scope.is_empty() || scope.len() > LONGEST_SCOPE || !is_valid_scope(scope) {
        return refuse(format!("`{shown}` is no scope: one has 1 to {LONGEST_SCOPE} printable ASCII characters"));
    }
    if scope.ends_with("**") {
        return refuse(format!("`{shown}`: scopes must not end with `**`"));
    }
    if covers(scope, "assume:") {
        return refuse(format!("`{shown}` covers `assume:`, every role at once; name the roles, such as `assume:admins`"));
    }
    if covers(scope, "assume:grant:") || scope.starts_with("assume:grant:") {
        return refuse(format!("`{shown}`: `assume:grant:` is reserved"));
    }
    Ok(())
}

/// The person behind an account, with present scopes: who they are, their groups, everybody, and their own.
pub(crate) fn person_of(account: &AccountRecord, now_ms: i64) -> IdentityRecord {
    let identity = identity_of(&account.name);
    let mut scopes = vec![
        format!("assume:login-identity:{identity}"),
        format!("assume:local-user:{}", account.name),
        "assume:everybody".to_owned(),
    ];
    scopes.extend(account.groups.iter().map(|group| format!("assume:local-group:{group}")));
    scopes.extend(account.scopes.iter().cloned());
    IdentityRecord {
        identity,
        provider: LOCAL.to_owned(),
        subject: account.name.clone(),
        display_name: account.display_name.clone(),
        email: account.email.clone(),
        email_verified: false,
        groups: account.groups.clone(),
        scopes,
        refreshed_ms: now_ms,
        disabled: account.disabled || account.deleted,
    }
}

fn refuse<T>(text: impl Into<String>) -> Result<T, LoginError> {
    Err(LoginError::Input(text.into()))
}
