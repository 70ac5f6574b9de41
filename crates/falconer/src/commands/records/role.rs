//! `falconer role ...`: the roles of a server.

use anyhow::{Context, Result, bail};
use falconer_wire::RoleRequest;

use super::deletion;
use crate::commands::user::{UserOptions, any_scope};
use crate::output::{self, WrongUse};

/// The roles of a server.
#[derive(clap::Subcommand)]
pub enum Role {
    /// List roles
    List {
        #[command(flatten)]
        user: UserOptions,
    },
    /// Show a role
    Show {
        /// Its id, such as `team:red` or `team:*`
        role_id: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Make a role
    Create {
        /// Its id
        role_id: String,
        /// A scope; may be repeated; in a role whose id ends in `*`, `<..>` stands for what the star matched
        #[arg(long = "scope", value_name = "SCOPE", value_parser = any_scope)]
        scopes: Vec<String>,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Change a role: what is not given stays
    Update {
        /// Its id
        role_id: String,
        /// A scope; may be repeated; together they replace what the role had
        #[arg(long = "scope", value_name = "SCOPE", value_parser = any_scope)]
        scopes: Vec<String>,
        /// Take all scopes away
        #[arg(long, conflicts_with = "scopes")]
        no_scopes: bool,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Delete a role
    Delete {
        /// Its id
        role_id: String,
        #[command(flatten)]
        user: UserOptions,
    },
}

/// Runs one of them.
pub async fn run(command: Role) -> Result<()> {
    match command {
        Role::List { user } => {
            let roles = user.client()?.list_roles().await?;
            if user.json {
                return output::json(&roles);
            }
            let rows: Vec<Vec<String>> = roles.iter().map(|role| vec![role.role_id.clone(), role.scopes.join(" ")]).collect();
            output::table(&["ROLE", "SCOPES"], &rows)
        }
        Role::Show { role_id, user } => {
            let role = user.client()?.role(&role_id).await?.with_context(|| format!("there is no role {role_id}"))?;
            show(&role, user.json)
        }
        Role::Create { role_id, scopes, description, user } => {
            show(&user.client()?.create_role(&role_id, &RoleRequest { scopes, description }).await?, user.json)
        }
        Role::Update { role_id, scopes, no_scopes, description, user } => {
            if scopes.is_empty() && !no_scopes && description.is_none() {
                return Err(WrongUse::nothing_to_change("--scope").into());
            }
            let server = user.client()?;
            let present = server.role(&role_id).await?.with_context(|| format!("there is no role {role_id}"))?;
            let keep = scopes.is_empty() && !no_scopes;
            let request =
                RoleRequest { scopes: if keep { present.scopes } else { scopes }, description: description.unwrap_or(present.description) };
            show(&server.update_role(&role_id, &request).await?, user.json)
        }
        Role::Delete { role_id, user } => {
            let server = user.client()?;
            let there = deletion::is_there(server.role(&role_id).await)?;
            if there == Some(false) {
                bail!("there was no role {role_id}: nothing was deleted");
            }
            server.delete_role(&role_id).await?;
            deletion::say_deleted("role", &role_id, there);
            Ok(())
        }
    }
}

fn show(role: &falconer_wire::Role, json: bool) -> Result<()> {
    if json {
        return output::json(role);
    }
    output::fields(&[
        ("roleId", vec![role.role_id.clone()]),
        ("description", role.description.lines().map(str::to_owned).collect()),
        ("scopes", role.scopes.clone()),
        ("expanded", role.expanded_scopes.clone()),
    ])
}
