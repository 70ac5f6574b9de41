//! The words of `falconer person`, and where each is done.

use anyhow::{Result, bail};
use falconer_wire::{InvitePersonRequest, RefreshState, RefreshedPerson};

use super::change::ChangeOptions;
use super::place::{Place, PlaceOptions};
use super::{here, history, there};
use crate::output;

/// People, each named by one of their identities, such as `local/ann`: in the data directory of a server on this machine, or with --remote over the API.
#[derive(clap::Subcommand)]
pub enum Person {
    /// List people with their identities
    List {
        /// Only those whose identity, name or e-mail address holds this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        options: Options,
    },
    /// Show one person, and what they may do
    Show {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        options: Options,
    },
    /// What happened to a person, their identities and their local accounts, oldest first
    History {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        options: Options,
    },
    /// Make a local account, and print the link with which the person sets its password, once, within seven days
    Invite {
        /// `local/` and the name to sign in with: lower-case letters, digits, `.`, `_`, `-`; never used again, even after deletion
        identity: String,
        /// What pages call the person; by default the name
        #[arg(long)]
        display_name: Option<String>,
        /// E-mail address
        #[arg(long)]
        email: Option<String>,
        /// A group; may be repeated; gives `assume:local-group:<group>`
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// A scope of the account's own; may be repeated
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        #[command(flatten)]
        mail: MailOption,
        #[command(flatten)]
        options: Options,
    },
    /// Change a local account: what is not given stays
    Update {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        change: ChangeOptions,
        #[command(flatten)]
        options: Options,
    },
    /// Print a link with which a person sets another password, once, within a day; the present one goes on until then
    ResetLink {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        mail: MailOption,
        #[command(flatten)]
        options: Options,
    },
    /// Let a person sign in again who is shut out by wrong passwords
    Unlock {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        options: Options,
    },
    /// End all sessions of a person
    SignOut {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        options: Options,
    },
    /// End what a person lets a site do
    RevokeGrant {
        #[command(flatten)]
        who: Who,
        /// The id of the grant, as `show --json` has it
        #[arg(allow_hyphen_values = true)]
        grant: String,
        #[command(flatten)]
        options: Options,
    },
    /// Stop a person, whichever identity they use: sessions end, grants are revoked, clients are worth nothing
    Disable {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        options: Options,
    },
    /// Let a disabled person in again
    Enable {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        options: Options,
    },
    /// Delete a local account for good; its name is never used again
    Delete {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        options: Options,
    },
    /// Ask the identity provider about a person now: lost groups take scopes and clients with them, and who is gone loses everything
    Refresh {
        /// The identity that the provider has given
        identity: String,
        #[command(flatten)]
        options: Options,
    },
    /// Make an identity one of another person's: from then on both act with what all give together; the sessions of both end
    Link {
        /// What is linked; it may be linked with no other
        identity: String,
        /// An identity of the person that it is to belong to
        with: String,
        #[command(flatten)]
        options: Options,
    },
    /// Make an identity a person of its own again; its sessions end
    Unlink {
        /// What is unlinked
        identity: String,
        #[command(flatten)]
        options: Options,
    },
    /// Choose the identity that new clients and grants of its person are named by
    Name {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        options: Options,
    },
}

/// Which person.
#[derive(clap::Args)]
pub struct Who {
    /// One of their identities
    identity: String,
}

/// Whether a link is mailed.
#[derive(clap::Args)]
pub struct MailOption {
    /// Mail the link to the account's e-mail address too, and say what became of the mail; takes `[mail]` in the configuration
    #[arg(long)]
    mail: bool,
}

/// What most of them share.
#[derive(clap::Args)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceOptions,
}

/// Runs one of them.
pub async fn run(command: Person) -> Result<()> {
    match command {
        Person::List { search, options } => match options.place.open().await? {
            Place::Here(node, _) => here::list(&node, search.as_deref(), options.json),
            Place::There(client) => there::list(&client, search, options.json).await,
        },
        Person::Show { who, options } => match options.place.open().await? {
            Place::Here(node, _) => here::show(&node, &who.identity, options.json),
            Place::There(client) => there::show(&client, &who.identity, options.json).await,
        },
        Person::History { who, options } => match options.place.open().await? {
            Place::Here(node, _) => history::here(&node, &who.identity, options.json).await,
            Place::There(client) => history::there(&client, &who.identity, options.json).await,
        },
        Person::Invite { identity, display_name, email, groups, scopes, mail: MailOption { mail }, options } => {
            let name = identity.strip_prefix("local/").unwrap_or(&identity);
            let request = InvitePersonRequest { display_name: display_name.unwrap_or_else(|| name.to_owned()), email, groups, scopes };
            let link = match options.place.open().await? {
                Place::Here(node, origin) => here::invite(&node, &origin, &identity, request, mail).await?,
                Place::There(client) if mail => client.invite_person_by_mail(&identity, &request).await?,
                Place::There(client) => client.invite_person(&identity, &request).await?,
            };
            print_link(&link, options.json)
        }
        Person::ResetLink { who, mail: MailOption { mail }, options } => {
            let link = match options.place.open().await? {
                Place::Here(node, origin) => here::reset_link(&node, &origin, &who.identity, mail).await?,
                Place::There(client) if mail => client.mail_reset_link(&who.identity).await?,
                Place::There(client) => client.make_reset_link(&who.identity).await?,
            };
            print_link(&link, options.json)
        }
        Person::Update { who, change, options } => {
            let revision = match options.place.open().await? {
                Place::Here(node, _) => here::update(&node, &who.identity, &change.change()?).await?,
                Place::There(client) => client.update_person(&who.identity, &change.request()?).await?.revision,
            };
            done(&format!("changed {}", who.identity), Some(revision), options.json)
        }
        Person::RevokeGrant { who, grant, options } => {
            let revision = match options.place.open().await? {
                Place::Here(node, _) => Some(here::revoke_grant(&node, &who.identity, &grant).await?),
                Place::There(client) => client.revoke_grant_of_person(&who.identity, &grant).await.map(|()| None)?,
            };
            done(&format!("revoked the grant {grant} of {}", who.identity), revision, options.json)
        }
        Person::Delete { who, options } => {
            let revision = match options.place.open().await? {
                Place::Here(node, _) => Some(here::act(&node, &who.identity, "delete").await?),
                Place::There(client) => client.delete_person(&who.identity).await.map(|()| None)?,
            };
            done(&format!("deleted {}", who.identity), revision, options.json)
        }
        Person::Unlock { who, options } => act(who, "unlock", "can try again to sign in", options).await,
        Person::SignOut { who, options } => act(who, "sign-out", "is signed out everywhere", options).await,
        Person::Disable { who, options } => act(who, "disable", "is disabled, with the whole person", options).await,
        Person::Enable { who, options } => act(who, "enable", "is enabled, with the whole person", options).await,
        Person::Refresh { identity, options } => {
            let refreshed = match options.place.open().await? {
                Place::Here(node, _) => here::refresh(&node, &identity).await?,
                Place::There(client) => client.refresh_person(&identity).await?,
            };
            print_refreshed(&refreshed, options.json)
        }
        Person::Link { identity, with, options } => {
            let revision = match options.place.open().await? {
                Place::Here(node, _) => here::link(&node, &identity, &with).await?,
                Place::There(client) => client.link_person(&identity, &with).await?.revision,
            };
            done(&format!("{identity} and {with} are one person"), Some(revision), options.json)
        }
        Person::Unlink { identity, options } => act(Who { identity }, "unlink", "is a person of its own", options).await,
        Person::Name { who, options } => act(who, "name", "names what is new", options).await,
    }
}

/// An answer that changed nothing is a failure of what was asked for.
fn print_refreshed(refreshed: &RefreshedPerson, json: bool) -> Result<()> {
    if json {
        output::json(refreshed)?;
    }
    match refreshed.state {
        RefreshState::Unanswered | RefreshState::NotAccepted => bail!("{}", refreshed.text),
        _ => done(refreshed.text.trim_end_matches('.'), None, false),
    }
}

async fn act(who: Who, action: &'static str, what: &str, options: Options) -> Result<()> {
    let revision = match options.place.open().await? {
        Place::Here(node, _) => here::act(&node, &who.identity, action).await?,
        Place::There(client) => client.act_on_person(&who.identity, action).await?.revision,
    };
    done(&format!("{} {what}", who.identity), Some(revision), options.json)
}

fn print_link(link: &falconer_wire::PersonLink, json: bool) -> Result<()> {
    if json {
        return output::json(link);
    }
    output::line(&link.url)?;
    eprintln!("It is for {}, and works until {}, once. Whoever has it sets the password.", link.identity, link.expires);
    if let Some(mail) = &link.mail {
        eprintln!("{}", mail.text);
    }
    Ok(())
}

/// Says what is so now. A server that runs beside knows within a second.
fn done(what: &str, revision: Option<i64>, json: bool) -> Result<()> {
    eprintln!("{what}; a running server knows within a second");
    match revision.filter(|_| json) {
        Some(revision) => output::json(&serde_json::json!({ "revision": revision })),
        None => Ok(()),
    }
}
