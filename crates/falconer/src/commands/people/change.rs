//! What `falconer person update` changes.

use anyhow::Result;
use falconer_login::PersonChange;
use falconer_wire::UpdatePersonRequest;

use crate::commands::user::any_scope;
use crate::output::WrongUse;

/// What is given; the rest stays.
#[derive(clap::Args)]
pub struct ChangeOptions {
    /// What pages call the person
    #[arg(long)]
    display_name: Option<String>,
    /// E-mail address
    #[arg(long, conflicts_with = "no_email")]
    email: Option<String>,
    /// Take the address away
    #[arg(long)]
    no_email: bool,
    /// A group; may be repeated; together they replace the groups that the account had
    #[arg(long = "group", value_name = "GROUP", conflicts_with = "no_groups")]
    groups: Vec<String>,
    /// Take all groups away
    #[arg(long)]
    no_groups: bool,
    /// A scope; may be repeated; together they replace the scopes of the account's own
    #[arg(long = "scope", value_name = "SCOPE", conflicts_with = "no_scopes", value_parser = any_scope)]
    scopes: Vec<String>,
    /// Take all scopes of its own away
    #[arg(long)]
    no_scopes: bool,
}

impl ChangeOptions {
    /// As the API takes it. Nothing at all is wrong use.
    pub fn request(self) -> Result<UpdatePersonRequest> {
        let list = |given: Vec<String>, none: bool| (none || !given.is_empty()).then_some(given);
        let request = UpdatePersonRequest {
            display_name: self.display_name,
            email: if self.no_email { Some(None) } else { self.email.map(Some) },
            groups: list(self.groups, self.no_groups),
            scopes: list(self.scopes, self.no_scopes),
        };
        if request == UpdatePersonRequest::default() {
            return Err(WrongUse::nothing_to_change("--group").into());
        }
        Ok(request)
    }

    /// As the use case takes it.
    pub fn change(self) -> Result<PersonChange> {
        let UpdatePersonRequest { display_name, email, groups, scopes } = self.request()?;
        Ok(PersonChange { display_name, email, groups, scopes, seen_ms: None })
    }
}
