//! `falconer export`: all roles and clients, as `falconer import` reads them.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::listing::Listing;
use crate::commands::user::ServerOptions;

/// What `falconer export --help` ends with.
const AFTER_HELP: &str = "\
What is written was there at one moment: where others change records meanwhile it is listed again, and if they never leave off, nothing is written. \
Access tokens can't be read and are not part of it: `falconer import` keeps those of clients that are there and gives new clients new ones. Clients \
under `static/` belong to the configuration of a server and are left out. So are clients that were made with a grant: they end with it, and an import \
would make lasting clients of them.";

/// `falconer export`
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// Write to this file instead of stdout; it is replaced when all was read
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write clients too that were made with a grant, although they would last where they are imported
    #[arg(long)]
    granted: bool,
    #[command(flatten)]
    server: ServerOptions,
}

/// Runs it.
pub async fn run(options: Options) -> Result<()> {
    let mut listing = Listing::read(&options.server.client()?).await?;
    if options.granted {
        listing.take_clients_of_grants();
    }
    let (roles, clients) = (listing.roles.len(), listing.clients.len());
    let (of_configuration, of_grants) = (listing.of_configuration.len(), listing.of_grants.len());
    let mut lines = Vec::new();
    for record in listing.into_records() {
        serde_json::to_writer(&mut lines, &record)?;
        lines.push(b'\n');
    }
    match &options.output {
        Some(path) => replace(path, &lines).with_context(|| format!("can't write {}", path.display()))?,
        None => crate::output::raw(&lines)?,
    }
    eprintln!("{roles} roles and {clients} clients; left out: {of_configuration} under static/, {of_grants} made with a grant");
    Ok(())
}

/// Writes beside it, and takes its place when all is on the disk: nobody ever finds half of it.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().context("it names no file")?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = std::fs::File::create(&part).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    let replaced = written.and_then(|()| std::fs::rename(&part, path));
    if replaced.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    Ok(replaced?)
}
