//! What a local account may be, and the identity that it makes.

use falconer_scopes::{covers, is_valid_scope};
use falconer_store::{AccountRecord, IdentityRecord};

use crate::error::LoginError;

/// The provider's name of local accounts.
pub const LOCAL: &str = "local";
/// Most groups, and most scopes of its own, that an account can have.
const MOST: usize = 500;
/// Longest name of a person, in bytes.
const LONGEST: usize = 200;

/// `local/<name>`
pub fn local_identity(name: &str) -> String {
    format!("{LOCAL}/{name}")
}

/// The account's name in an identity, where it is one of a local account.
pub fn local_name(identity: &str) -> Option<&str> {
    identity.strip_prefix(LOCAL)?.strip_prefix('/')
}

/// Whether it is `^[a-z][a-z0-9._-]{0,62}$`.
pub fn is_valid_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 63
        && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
}

/// Whether it is `^[a-z0-9][a-z0-9._/-]{0,62}$`.
pub fn is_valid_group(group: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut bytes = group.bytes();
    group.len() <= 63 && bytes.next().is_some_and(plain) && bytes.all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-' | b'/'))
}

/// The identity of an account: name and scopes follow from the account's name, groups and own scopes; one that was deleted has none at all. It belongs to the
/// person of this id.
pub(crate) fn identity_of(account: &AccountRecord, person: &str, now_ms: i64) -> IdentityRecord {
    let identity = local_identity(&account.name);
    let mut scopes = vec![format!("assume:login-identity:{identity}"), format!("assume:local-user:{}", account.name)];
    let groups = account.groups.iter();
    scopes.extend(groups.map(|group| format!("assume:local-group:{group}")));
    scopes.push("assume:everybody".to_owned());
    for scope in &account.scopes {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    if account.deleted {
        scopes.clear();
    }
    IdentityRecord {
        identity,
        person: person.to_owned(),
        provider: LOCAL.to_owned(),
        subject: account.name.clone(),
        display_name: account.display_name.clone(),
        email: account.email.clone(),
        // Nobody has checked it.
        email_verified: false,
        username: Some(account.name.clone()),
        groups: account.groups.clone(),
        scopes,
        additions: Vec::new(),
        refreshed_ms: now_ms,
        disabled: account.disabled || account.deleted,
        gone: false,
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), LoginError> {
    if is_valid_name(name) {
        return Ok(());
    }
    invalid(
        "An account's name begins with a lower-case letter and goes on with lower-case letters, digits, dots, underscores or hyphens, 63 \
         characters at most.",
    )
}

/// Own scopes: valid, and none that makes the person every role at once.
pub(crate) fn check_own_scopes(scopes: &[String]) -> Result<(), LoginError> {
    if scopes.len() > MOST {
        return invalid("An account has at most 500 scopes of its own.");
    }
    for scope in scopes {
        if scope.is_empty() || scope.len() > 1024 || !is_valid_scope(scope) {
            return invalid(format!("{scope:?} is not a scope."));
        }
        if covers(scope, "assume:") {
            return invalid(format!(
                "The scope {scope:?} covers `assume:`: the account would have every role at once, those of all other people too. Name the \
                 services that it should have instead, such as `auth:*`."
            ));
        }
        if scope.starts_with("assume:grant:") || covers(scope, "assume:grant:") {
            return invalid(format!("The scope {scope:?} is one of grants: `assume:grant:` is reserved."));
        }
        if scope.ends_with("**") {
            return invalid(format!("The scope {scope:?} ends in `**`; one star is enough."));
        }
    }
    Ok(())
}

pub(crate) fn check_groups(groups: &[String]) -> Result<(), LoginError> {
    if groups.len() > MOST {
        return invalid("An account has at most 500 groups.");
    }
    match groups.iter().find(|group| !is_valid_group(group)) {
        None => Ok(()),
        Some(group) => invalid(format!(
            "{group:?} is not a group: one begins with a lower-case letter or a digit and goes on with lower-case letters, digits, dots, \
             underscores, slashes or hyphens, 63 characters at most."
        )),
    }
}

/// What people are called: anything but nothing, control characters and novels.
pub(crate) fn check_profile(display_name: &str, email: Option<&str>) -> Result<(), LoginError> {
    let is_fine = |text: &str| !text.trim().is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control);
    if !is_fine(display_name) {
        return invalid("Enter a name for people to read, 200 characters at most.");
    }
    let is_address = |text: &str| {
        is_fine(text)
            && !text.chars().any(char::is_whitespace)
            && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
    };
    match email {
        Some(email) if !is_address(email) => invalid(format!("{email:?} is not an e-mail address.")),
        _ => Ok(()),
    }
}

fn invalid<T>(text: impl Into<String>) -> Result<T, LoginError> {
    Err(LoginError::Invalid(text.into()))
}
