//! `falconer account ...`: local accounts, on the machine of the server, also while it runs (it takes changes in within a second).

use std::io::{BufRead, IsTerminal, Read};

use anyhow::{Context, Result, bail};
use falconer_auth::Random;
use falconer_login::NewAccount;
use zeroize::Zeroizing;

use super::LocalOptions;
use crate::commands::user::any_scope;
use crate::node::Node;
use crate::output;
use crate::system::SystemRandom;

/// Who the audit names for what is done here.
const ACTOR: &str = "falconer account";

/// Local accounts of a server on this machine.
#[derive(clap::Subcommand)]
pub enum Account {
    /// List accounts
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Make an account; without --password-stdin a password is made and printed
    Create {
        /// Lower-case letters, digits, `.`, `_`, `-`; never used again, even after deletion
        name: String,
        /// What pages call the person
        #[arg(long)]
        display_name: Option<String>,
        /// E-mail address
        #[arg(long)]
        email: Option<String>,
        /// A group; may be repeated; gives `assume:local-group:<group>`
        #[arg(long = "group")]
        groups: Vec<String>,
        /// A scope of the account's own; may be repeated
        #[arg(long = "scope", value_parser = any_scope)]
        scopes: Vec<String>,
        /// Read the password from stdin
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Set a new password; the person's sessions end
    Password {
        /// The account
        name: String,
        /// Read the password from stdin; else one is made and printed
        #[arg(long)]
        password_stdin: bool,
        /// Also end what the person has granted
        #[arg(long)]
        revoke_grants: bool,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Replace the groups of an account
    Groups {
        /// The account
        name: String,
        /// All that the account shall have from now on
        #[arg(required_unless_present = "none")]
        groups: Vec<String>,
        /// Take all away
        #[arg(long, conflicts_with = "groups")]
        none: bool,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Replace an account's own scopes
    Scopes {
        /// The account
        name: String,
        /// All that the account shall have from now on
        #[arg(required_unless_present = "none")]
        scopes: Vec<String>,
        /// Take all away
        #[arg(long, conflicts_with = "scopes")]
        none: bool,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Let a person sign in again who is shut out by wrong passwords
    Unlock {
        /// The account
        name: String,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Remove passkeys of an account, such as those of a lost device; the person's sessions end
    RemovePasskeys {
        /// The account
        name: String,
        /// Only this one, by its id; else all
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Stop an account: sessions end, grants are worth nothing
    Disable {
        /// The account
        name: String,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Let a disabled account in again
    Enable {
        /// The account
        name: String,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Delete an account for good; its name is never used again
    Delete {
        /// The account
        name: String,
        #[command(flatten)]
        local: LocalOptions,
    },
}

/// Runs one of them.
pub async fn run(command: Account) -> Result<()> {
    match command {
        Account::List { json, local } => list(&local.open().await?.0, json).await,
        Account::Create { name, display_name, email, groups, scopes, password_stdin, local } => {
            let (node, _) = local.open().await?;
            let (password, shown) = password(password_stdin)?;
            let display_name = display_name.unwrap_or_else(|| name.clone());
            let account = NewAccount { name: name.clone(), display_name, email, groups, scopes };
            node.login.create_account(ACTOR, &account, Some(&password)).await?;
            done(&format!("made {name}"), shown.then_some(&password))
        }
        Account::Password { name, password_stdin, revoke_grants, local } => {
            let (node, _) = local.open().await?;
            let (password, shown) = password(password_stdin)?;
            node.login.set_password(ACTOR, &name, &password, revoke_grants).await?;
            done(&format!("new password for {name}"), shown.then_some(&password))
        }
        Account::Groups { name, groups, local, .. } => {
            local.open().await?.0.login.set_groups(ACTOR, &name, &groups).await?;
            done(&format!("changed the groups of {name}"), None)
        }
        Account::Scopes { name, scopes, local, .. } => {
            local.open().await?.0.login.set_scopes(ACTOR, &name, &scopes).await?;
            done(&format!("changed the scopes of {name}"), None)
        }
        Account::Unlock { name, local } => {
            local.open().await?.0.login.unlock_account(ACTOR, &name).await?;
            done(&format!("{name} can try again to sign in"), None)
        }
        Account::RemovePasskeys { name, id, local } => {
            let removed = local.open().await?.0.login.remove_passkeys_of(ACTOR, &name, id.as_deref()).await?;
            let passkeys = if removed == 1 { "passkey" } else { "passkeys" };
            done(&format!("removed {removed} {passkeys} of {name}"), None)
        }
        Account::Disable { name, local } => {
            local.open().await?.0.login.disable_account(ACTOR, &name).await?;
            done(&format!("disabled {name}"), None)
        }
        Account::Enable { name, local } => {
            local.open().await?.0.login.enable_account(ACTOR, &name).await?;
            done(&format!("enabled {name}"), None)
        }
        Account::Delete { name, local } => {
            local.open().await?.0.login.delete_account(ACTOR, &name).await?;
            done(&format!("deleted {name}"), None)
        }
    }
}

async fn list(node: &Node, json: bool) -> Result<()> {
    let accounts = node.login.accounts().await?;
    if json {
        let shown: Vec<serde_json::Value> = accounts
            .iter()
            .map(|a| {
                serde_json::json!({
                    "name": a.name, "displayName": a.display_name, "email": a.email, "groups": a.groups, "scopes": a.scopes,
                    "hasPassword": a.has_password, "passkeys": a.passkeys, "recoveryCodes": a.recovery_codes,
                    "disabled": a.disabled, "deleted": a.deleted, "created": output::time(a.created_ms),
                })
            })
            .collect();
        return output::json(&shown);
    }
    let state = |disabled, deleted| {
        if deleted {
            "deleted"
        } else if disabled {
            "disabled"
        } else {
            ""
        }
    };
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|a| vec![a.name.clone(), state(a.disabled, a.deleted).to_owned(), a.groups.join(" "), a.scopes.join(" ")])
        .collect();
    output::table(&["ACCOUNT", "STATE", "GROUPS", "SCOPES"], &rows)
}

/// The password, and whether it was made here and has to be shown.
fn password(from_stdin: bool) -> Result<(Zeroizing<String>, bool)> {
    if from_stdin {
        let mut text = Zeroizing::new(String::new());
        let mut stdin = std::io::stdin().lock();
        let read = if stdin.is_terminal() {
            eprintln!("Type the password (it shows) and press Enter:");
            stdin.read_line(&mut text)
        } else {
            stdin.read_to_string(&mut text)
        };
        read.context("can't read the password from stdin")?;
        let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
        if text.is_empty() {
            bail!("stdin held no password");
        }
        return Ok((text, false));
    }
    let mut bytes = [0_u8; 16];
    SystemRandom.fill(&mut bytes);
    Ok((Zeroizing::new(falconer_credentials::slugid(bytes)), true))
}

fn done(what: &str, password: Option<&Zeroizing<String>>) -> Result<()> {
    eprintln!("{what}; a running server knows within a second");
    let Some(password) = password else { return Ok(()) };
    eprintln!("The password, shown this once:");
    output::line(password)
}
