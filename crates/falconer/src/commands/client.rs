//! `falconer client ...`: the clients of a server.

use anyhow::{Context, Result};
use falconer_wire::{ClientRequest, ClientWithToken};

use super::user::UserOptions;
use crate::edge::SystemClock;
use crate::output;
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
        #[command(flatten)]
        user: UserOptions,
    },
    /// Change a client: what is not given stays
    Update {
        /// Its id
        client_id: String,
        #[command(flatten)]
        record: Record,
        #[command(flatten)]
        user: UserOptions,
    },
    /// Give a client a new access token and print it; the old one stops working at once
    Reset {
        /// Its id
        client_id: String,
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
    /// A scope; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// When it ends: a time such as `2030-01-01T00:00:00Z` or an expression such as `90 days`; a new client lives a year
    #[arg(long)]
    expires: Option<String>,
    /// Delete it once it has expired
    #[arg(long)]
    delete_on_expiration: bool,
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
            output::table(&["CLIENT", "EXPIRES", "STATE", "SCOPES"], &rows);
            Ok(())
        }
        Client::Show { client_id, user } => {
            let client = user.client()?.client(&client_id).await?.with_context(|| format!("there is no client {client_id}"))?;
            output::json(&client)
        }
        Client::Create { client_id, record, user } => {
            let request = ClientRequest {
                expires: expires(record.expires.as_deref().unwrap_or("1 year"))?,
                description: record.description.unwrap_or_default(),
                scopes: Some(record.scopes),
                delete_on_expiration: record.delete_on_expiration,
            };
            show_token(&user.client()?.create_client(&client_id, &request).await?, user.json)
        }
        Client::Update { client_id, record, user } => {
            let server = user.client()?;
            let present = server.client(&client_id).await?.with_context(|| format!("there is no client {client_id}"))?;
            let request = ClientRequest {
                expires: record.expires.as_deref().map_or(Ok(present.expires), expires)?,
                description: record.description.unwrap_or(present.description),
                scopes: (!record.scopes.is_empty()).then_some(record.scopes),
                delete_on_expiration: record.delete_on_expiration || present.delete_on_expiration,
            };
            output::json(&server.update_client(&client_id, &request).await?)
        }
        Client::Reset { client_id, user } => show_token(&user.client()?.reset_access_token(&client_id).await?, user.json),
        Client::Enable { client_id, user } => output::json(&user.client()?.enable_client(&client_id).await?),
        Client::Disable { client_id, user } => output::json(&user.client()?.disable_client(&client_id).await?),
        Client::Delete { client_id, user } => {
            user.client()?.delete_client(&client_id).await?;
            eprintln!("deleted {client_id}");
            Ok(())
        }
    }
}

/// A point in time as the protocol writes it, from itself or from a time expression.
fn expires(text: &str) -> Result<String> {
    if let Some(ms) = falconer_wire::date_time::parse_ms(text) {
        return Ok(falconer_wire::date_time::format_ms(ms));
    }
    let ms = falconer_wire::time_expression::from_ms(text, SystemClock.now_ms())
        .with_context(|| format!("`{text}` is neither a time such as 2030-01-01T00:00:00Z nor an expression such as `90 days`"))?;
    Ok(falconer_wire::date_time::format_ms(ms))
}

fn show_token(made: &ClientWithToken, json: bool) -> Result<()> {
    if json {
        return output::json(made);
    }
    println!("clientId     {}\naccessToken  {}\nexpires      {}", made.client.client_id, made.access_token, made.client.expires);
    eprintln!("The token is shown this once; `falconer client reset` makes another.");
    Ok(())
}
