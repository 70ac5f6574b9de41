//! `falconer client ...`: the clients of a server.

use anyhow::{Context, Result, bail};
use falconer_wire::{ClientRequest, ClientWithGrant, ClientWithToken, ResetAccessTokenRequest, RevokeCertificatesRequest};

use super::application::overlap as overlap_seconds;
use super::deletion;
use crate::commands::user::{UserOptions, any_scope, grant_in_use};
use crate::output::{self, WrongUse, shell_word};
use crate::system::SystemClock;
use falconer_auth::Clock;

/// The clients of a server.
#[derive(clap::Subcommand)]
pub enum Client {
    /// List clients
    List {
        /// Only those whose id begins with this
        #[arg(long)]
        prefix: Option<String>,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Show a client
    Show {
        /// Its id
        client_id: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Make a client and print its access token, once
    Create {
        /// Its id, such as `project/robot`
        client_id: String,
        #[command(flatten)]
        record: Record,
        /// When it ends: a time such as `2030-01-01T00:00:00Z` or an expression such as `90 days`
        #[arg(long, value_name = "WHEN", value_parser = expires_later, default_value = "1 year")]
        expires: String,
        /// Delete it once it has expired
        #[arg(long)]
        delete_on_expiration: bool,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Change a client: what is not given stays
    Update {
        /// Its id
        client_id: String,
        #[command(flatten)]
        record: Record,
        /// Take all scopes away
        #[arg(long, conflicts_with = "scopes")]
        no_scopes: bool,
        /// When it ends: a time such as `2030-01-01T00:00:00Z` or an expression such as `90 days`
        #[arg(long, value_name = "WHEN", value_parser = expires)]
        expires: Option<String>,
        /// Whether it is deleted once it has expired
        #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
        delete_on_expiration: Option<bool>,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Give a client a new access token and print it; the old one stops working at once, or after a while
    Reset {
        /// Its id
        client_id: String,
        /// For how long the old one counts beside it, such as `1 hour`, with all that it has signed
        #[arg(long, value_name = "TIME", value_parser = overlap_seconds)]
        overlap: Option<i64>,
        #[command(flatten)]
        user: UserOptions,
    },
    /// End the access token that a reset has let go on
    EndOldToken {
        /// Its id
        client_id: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Revoke temporary credentials that a client has made: all until now, or what is said
    RevokeCertificates {
        /// Its id
        client_id: String,
        /// Those that start before this: a time such as `2026-01-01T00:00:00Z` or an expression such as `-2 hours`
        #[arg(long, value_name = "WHEN", value_parser = instant, allow_hyphen_values = true)]
        before: Option<String>,
        /// Those with this seed, as it is in the certificate
        #[arg(long)]
        seed: Option<String>,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Let a disabled client work again
    Enable {
        /// Its id
        client_id: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Stop a client without deleting it
    Disable {
        /// Its id
        client_id: String,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Delete a client
    Delete {
        /// Its id
        client_id: String,
        #[command(flatten)]
        user: UserOptions,
    },
}

/// What a client is made of.
#[derive(clap::Args)]
pub struct Record {
    /// A scope; may be repeated; `update` replaces all that the client had
    #[arg(long = "scope", value_name = "SCOPE", value_parser = any_scope)]
    scopes: Vec<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
}

/// Runs one of them.
pub async fn run(command: Client) -> Result<()> {
    match command {
        Client::List { prefix, user } => {
            let clients = user.client()?.list_all_clients(prefix.as_deref()).await?;
            if user.json {
                return output::json(&clients);
            }
            let state = |c: &falconer_wire::Client| if c.disabled { "disabled" } else { "" }.to_owned();
            let rows: Vec<Vec<String>> =
                clients.iter().map(|c| vec![c.client_id.clone(), c.expires.clone(), state(c), c.scopes.join(" ")]).collect();
            output::table(&["CLIENT", "EXPIRES", "STATE", "SCOPES"], &rows)
        }
        Client::Show { client_id, user } => {
            let server = user.client()?;
            // A server that has no such method says what it says of a client that is not there.
            if let Some(record) = server.client_record(&client_id).await? {
                return if user.json {
                    output::json(&record)
                } else {
                    show_with(&record.client, [of_grant(&record), of_old_token(&record), of_certificates(&record)].concat())
                };
            }
            let client = server.client(&client_id).await?.with_context(|| format!("there is no client {client_id}"))?;
            show(&client, user.json)
        }
        Client::Create { client_id, record, expires, delete_on_expiration, user } => {
            let request = ClientRequest {
                expires,
                description: record.description.unwrap_or_default(),
                scopes: Some(record.scopes),
                delete_on_expiration,
            };
            show_token(&user.client()?.create_client(&client_id, &request).await?, user.json)?;
            say_grant(&user);
            Ok(())
        }
        Client::Update { client_id, record, no_scopes, expires, delete_on_expiration, user } => {
            let has_record = !record.scopes.is_empty() || record.description.is_some();
            if !has_record && !no_scopes && expires.is_none() && delete_on_expiration.is_none() {
                return Err(WrongUse::nothing_to_change("--scope").into());
            }
            let server = user.client()?;
            let present = server.client(&client_id).await?.with_context(|| format!("there is no client {client_id}"))?;
            let request = ClientRequest {
                expires: expires.unwrap_or(present.expires),
                description: record.description.unwrap_or(present.description),
                scopes: (no_scopes || !record.scopes.is_empty()).then_some(record.scopes),
                delete_on_expiration: delete_on_expiration.unwrap_or(present.delete_on_expiration),
            };
            show(&server.update_client(&client_id, &request).await?, user.json)?;
            say_grant(&user);
            Ok(())
        }
        Client::Reset { client_id, overlap, user } => {
            match overlap {
                None => show_token(&user.client()?.reset_access_token(&client_id).await?, user.json)?,
                Some(overlap_seconds) => {
                    let wish = ResetAccessTokenRequest { overlap_seconds };
                    let reset = user.client()?.reset_access_token_with_overlap(&client_id, &wish).await?;
                    if user.json {
                        output::json(&reset)?;
                    } else {
                        let more = of_old_token(&reset.record);
                        show_token_with(&ClientWithToken { client: reset.record.client, access_token: reset.access_token }, more)?;
                    }
                }
            }
            say_grant(&user);
            Ok(())
        }
        Client::EndOldToken { client_id, user } => {
            let record = user.client()?.end_old_access_token(&client_id).await?;
            if user.json {
                return output::json(&record);
            }
            output::fields(&[("clientId", vec![record.client.client_id]), ("old token", vec!["counts no more".to_owned()])])
        }
        Client::RevokeCertificates { client_id, before, seed, user } => {
            let which = RevokeCertificatesRequest { before, seed };
            let revoked = user.client()?.revoke_certificates(&client_id, &which).await?;
            if user.json {
                return output::json(&revoked);
            }
            output::fields(&[vec![("clientId", vec![revoked.client.client_id.clone()])], of_certificates(&revoked)].concat())
        }
        Client::Enable { client_id, user } => {
            show(&user.client()?.enable_client(&client_id).await?, user.json)?;
            say_grant(&user);
            Ok(())
        }
        Client::Disable { client_id, user } => show(&user.client()?.disable_client(&client_id).await?, user.json),
        Client::Delete { client_id, user } => {
            let server = user.client()?;
            let there = deletion::is_there(server.client(&client_id).await)?;
            if there == Some(false) {
                bail!("there was no client {client_id}: nothing was deleted");
            }
            server.delete_client(&client_id).await?;
            deletion::say_deleted("client", &client_id, there);
            Ok(())
        }
    }
}

/// The end that the protocol's answers name is that of the record. The grant's comes earlier, and they have no member for it.
fn say_grant(user: &UserOptions) {
    if let Some((grant, end)) = grant_in_use(user) {
        eprintln!(
            "It was changed with the grant {grant}: it is worth no more than that, and ends with it, at {end} or when it is revoked, whatever `expires` says."
        );
    }
}

/// A point in time as the protocol writes it, from itself or from a time expression.
fn expires(text: &str) -> Result<String, String> {
    if let Some(ms) = falconer_wire::date_time::parse_ms(text) {
        return Ok(falconer_wire::date_time::format_ms(ms));
    }
    let now_ms = SystemClock.now_ms();
    match falconer_wire::time_expression::from_ms(text, now_ms) {
        Ok(ms) if ms > now_ms => Ok(falconer_wire::date_time::format_ms(ms)),
        Ok(_) => Err("that is no time to come, so that the client would never work; `falconer client disable` stops one".to_owned()),
        Err(_) => Err("write a time such as 2030-01-01T00:00:00Z or an expression such as `90 days`".to_owned()),
    }
}

/// A point in time, to come or over.
fn instant(text: &str) -> Result<String, String> {
    let ms = falconer_wire::date_time::parse_ms(text)
        .or_else(|| falconer_wire::time_expression::from_ms(text, SystemClock.now_ms()).ok())
        .ok_or("write a time such as 2030-01-01T00:00:00Z or an expression such as `-2 hours`")?;
    Ok(falconer_wire::date_time::format_ms(ms))
}

/// The same for a new client, whose end must be to come however it is written.
fn expires_later(text: &str) -> Result<String, String> {
    let written = expires(text)?;
    if falconer_wire::date_time::parse_ms(&written).is_some_and(|ms| ms <= SystemClock.now_ms()) {
        return Err("that time is over, so that the client would never work".to_owned());
    }
    Ok(written)
}

fn show(client: &falconer_wire::Client, json: bool) -> Result<()> {
    if json {
        return output::json(client);
    }
    show_with(client, Vec::new())
}

fn show_with(client: &falconer_wire::Client, more: Vec<(&str, Vec<String>)>) -> Result<()> {
    let state = if client.disabled { "disabled" } else { "enabled" };
    let end = if client.delete_on_expiration { ", then deleted" } else { "" };
    let fields = vec![
        ("clientId", vec![client.client_id.clone()]),
        ("description", client.description.lines().map(str::to_owned).collect()),
        ("state", vec![state.to_owned()]),
        ("expires", vec![format!("{}{end}", client.expires)]),
        (
            "last used",
            vec![if client.last_date_used <= client.created {
                "never, or within six hours after it was made".to_owned()
            } else {
                format!("{}, or up to six hours later", client.last_date_used)
            }],
        ),
        ("scopes", client.scopes.clone()),
        ("expanded", client.expanded_scopes.clone()),
    ];
    output::fields(&[fields, more].concat())
}

/// What was revoked of its temporary credentials.
fn of_certificates(record: &ClientWithGrant) -> Vec<(&'static str, Vec<String>)> {
    let from = record.certificates_from.iter().map(|from| format!("count if they start at {from} or later"));
    let seeds = record.revoked_seeds.iter().map(|one| format!("{} revoked, remembered until {}", output::harmless(&one.seed), one.until));
    vec![("temporary", from.chain(seeds).collect())]
}

/// The grant that it was made with.
fn of_grant(record: &ClientWithGrant) -> Vec<(&'static str, Vec<String>)> {
    record.grant.iter().map(|grant| ("grant", vec![format!("{grant}, with which it ends")])).collect()
}

/// Until when the access token before counts.
fn of_old_token(record: &ClientWithGrant) -> Vec<(&'static str, Vec<String>)> {
    record.old_token_ends.iter().map(|end| ("old token", vec![format!("counts until {end}")])).collect()
}

fn show_token(client: &ClientWithToken, json: bool) -> Result<()> {
    if json {
        return output::json(client);
    }
    show_token_with(client, Vec::new())
}

fn show_token_with(client: &ClientWithToken, more: Vec<(&str, Vec<String>)>) -> Result<()> {
    let fields = vec![
        ("clientId", vec![client.client.client_id.clone()]),
        ("accessToken", vec![client.access_token.clone()]),
        ("expires", vec![client.client.expires.clone()]),
    ];
    output::fields(&[fields, more].concat())?;
    eprintln!("The token is shown this once; `falconer client reset` makes another.");
    if !client.client.expanded_scopes.iter().any(|scope| covers_current_scopes(scope)) {
        eprintln!(
            "By its own scopes it can't ask what it may do: where it should be able to, `falconer client update {} --scope {CURRENT_SCOPES}` with its other scopes beside it.",
            shell_word(&client.client.client_id)
        );
    }
    Ok(())
}

/// What `falconer current-scopes` needs.
const CURRENT_SCOPES: &str = "auth:current-scopes";

fn covers_current_scopes(scope: &str) -> bool {
    scope == CURRENT_SCOPES || scope.strip_suffix('*').is_some_and(|prefix| CURRENT_SCOPES.starts_with(prefix))
}
