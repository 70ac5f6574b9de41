//! `falconer export`: all roles and clients, as `falconer import` reads them.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use falconer_client::Client;
use falconer_wire::{ImportClient, ImportRecord, ImportRole};

use crate::commands::user::ServerOptions;

/// How many roles are asked for at once.
const PAGE: u32 = 1000;

/// What `falconer export --help` ends with.
const AFTER_HELP: &str = "\
Access tokens can't be read and are not part of it: `falconer import` keeps those of clients that are there and gives new clients new ones. Clients \
under `static/` belong to the configuration of a server and are left out.";

/// `falconer export`
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// Write to this file instead of stdout; it is replaced when all was read
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    server: ServerOptions,
}

/// Runs it.
pub async fn run(options: Options) -> Result<()> {
    let client = options.server.client()?;
    let (lines, roles, clients, left_out) = lines(&client).await?;
    match &options.output {
        Some(path) => replace(path, &lines).with_context(|| format!("can't write {}", path.display()))?,
        None => crate::output::raw(&lines)?,
    }
    eprintln!("{roles} roles and {clients} clients; {left_out} clients under static/ are left out");
    Ok(())
}

async fn lines(client: &Client) -> Result<(Vec<u8>, usize, usize, usize)> {
    let mut lines = Vec::new();
    let mut roles = 0;
    let mut token = None;
    loop {
        let page = client.list_roles2(Some(PAGE), token.as_deref()).await.context("can't list the roles")?;
        for role in page.roles {
            let role = ImportRole { role_id: role.role_id, scopes: role.scopes, description: role.description };
            push(&mut lines, &ImportRecord::Role(role))?;
            roles += 1;
        }
        token = page.continuation_token;
        if token.is_none() {
            break;
        }
    }
    let (mut clients, mut left_out) = (0, 0);
    for client in client.list_all_clients(None).await.context("can't list the clients")? {
        if client.client_id.starts_with("static/") {
            left_out += 1;
            continue;
        }
        let record = ImportClient {
            client_id: client.client_id,
            scopes: client.scopes,
            expires: client.expires,
            description: client.description,
            delete_on_expiration: client.delete_on_expiration,
            // Said even where it is false: an import makes it so.
            disabled: Some(client.disabled),
            access_token: None,
        };
        push(&mut lines, &ImportRecord::Client(record))?;
        clients += 1;
    }
    Ok((lines, roles, clients, left_out))
}

fn push(lines: &mut Vec<u8>, record: &ImportRecord) -> Result<()> {
    serde_json::to_writer(&mut *lines, record)?;
    lines.push(b'\n');
    Ok(())
}

/// Writes beside it, and takes its place when all is on the disk: nobody ever finds half of it.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().context("it names no file")?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = std::fs::File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    Ok(())
}
