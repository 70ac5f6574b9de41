//! `falconer signin`: a session for the commands that follow, or lines for a shell.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Result;
use falconer_client::{Client, GrantEnd, Retry};
use falconer_grants::CommandLine;
use falconer_wire::GrantCredentials;

use super::grant_page::{lifetime, scope};
use super::oauth::OAuthServer;
use super::{Granted, Wish, device, surroundings, through_browser};
use crate::commands::user::UserOptions;
use crate::commands::user::session::{self, Session, default_name};
use crate::commands::user::shell::Shell;
use crate::output::{self, WrongUse};

/// `falconer signin`
#[derive(clap::Args)]
#[command(after_help = "\
On a terminal it begins a session, which the other commands use. Where something reads what it prints, it prints lines for a shell instead.

Into the present shell:  eval \"$(falconer signin)\"   (fish: falconer signin --fish | source)")]
pub struct Options {
    /// Ask for this scope only; may be repeated; by default everything that you may do except what is broad
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<String>,
    /// A wish for the lifetime, such as `1 hour` or `3 days`
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<String>,
    /// What the page shows as your reason
    #[arg(long)]
    description: Option<String>,
    /// Print the address and open no browser
    #[arg(long)]
    no_browser: bool,
    /// By a short code that you type on another device; by itself where there is no browser here
    #[arg(long, conflicts_with_all = ["no_browser", "port", "expires", "description"])]
    device: bool,
    /// Print lines for a shell, and keep no session
    #[arg(long, conflicts_with = "session")]
    print: bool,
    /// The port of loopback that waits for the answer; by default a free one
    #[arg(long, default_value = "0")]
    port: u16,
    /// Seconds to wait for your decision
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    #[command(flatten)]
    shell: Shell,
    #[command(flatten)]
    user: UserOptions,
}

/// Waits for the grant, and keeps or prints what it gives.
pub async fn run(options: Options) -> Result<()> {
    let root_url = options.user.root_url_to_sign_in()?;
    if options.prints() {
        return print(&options, &root_url, &granted(&options, &root_url).await?.credentials);
    }
    begin_session(&options, &root_url).await
}

impl Options {
    fn prints(&self) -> bool {
        let is_read = self.user.json || self.shell.is_given() || !std::io::stdout().is_terminal();
        self.print || (is_read && self.user.session().is_none())
    }
}

/// By the code of a device where that is asked for, or where no browser could open before the person; else through a browser.
async fn granted(options: &Options, root_url: &str) -> Result<Granted> {
    let server = OAuthServer::at(root_url)?;
    let may = server.command_line().await?;
    let has_browser = surroundings::has_browser();
    let has_wish = options.no_browser || options.port != 0 || options.expires.is_some() || options.description.is_some();
    if options.device || (may == CommandLine::BrowserAndDevice && !has_wish && !has_browser) {
        check_device(root_url, may)?;
        return Granted::of(&server, device::sign_in(&server, &options.scopes).await?).await;
    }
    let wish = Wish {
        scopes: &options.scopes,
        expires: options.expires.as_deref(),
        description: options.description.as_deref(),
        opens_browser: !options.no_browser && (has_browser || may == CommandLine::Off),
        port: options.port,
        timeout: Some(Duration::from_secs(options.timeout)),
        takes_pasted: true,
    };
    through_browser(&server, may, &wish).await
}

async fn begin_session(options: &Options, root_url: &str) -> Result<()> {
    // Before anybody looks at a page for nothing.
    let store = session::store()?;
    drop(store.lock()?);
    let name = options.user.session().map_or_else(|| default_name(root_url), str::to_owned);
    let Granted { credentials, refresh_token } = granted(options, root_url).await?;
    let session = Session {
        root_url: root_url.to_owned(),
        client_id: credentials.client_id,
        access_token: credentials.access_token,
        certificate: credentials.certificate,
        refresh_token,
        refresh_in_doubt: false,
        signed_in_ms: falconer_client::system::now_ms(),
    };
    let (client_id, ends) = (session.client_id.clone(), session.ends_ms().map(output::time));
    let kept = store.change(|sessions| {
        sessions.current = Some(name.clone());
        Ok(sessions.sessions.insert(name.clone(), session.clone()))
    });
    let replaced = match kept {
        Ok(replaced) => replaced,
        Err(error) => {
            end(&session).await?;
            return Err(error.context("the session was not kept, so what was granted was to end with it"));
        }
    };
    if let Some(replaced) = replaced {
        end(&replaced).await?;
    }
    if options.user.json {
        return output::json(&serde_json::json!({ "session": name, "rootUrl": root_url, "clientId": client_id, "expires": ends }));
    }
    eprintln!("Signed in as {client_id}{}: the session {name}.", ends.map_or_else(String::new, |time| format!(" until {time}")));
    Ok(())
}

/// Nobody has the credentials of a session any more that another one has replaced, or that could not be kept: its grant ends too (ADR 294).
async fn end(session: &Session) -> Result<()> {
    let retry = Retry { tries: 2, timeout: Duration::from_secs(5), ..Retry::default() };
    let client = Client::new(&session.root_url)?.with_retry(retry).with_credentials(session.credentials()?);
    if let GrantEnd::Counts(error) | GrantEnd::NotKnown(error) = client.end_grant().await {
        eprintln!(
            "A session is forgotten here, and its grant may count to its end: {error}; it is listed at {}/me/grants.",
            session.root_url
        );
    }
    Ok(())
}

fn check_device(root_url: &str, may: CommandLine) -> Result<()> {
    match may {
        CommandLine::BrowserAndDevice => Ok(()),
        CommandLine::Browser | CommandLine::Off => {
            Err(WrongUse(format!("{root_url} does not let the command line sign in by the code of a device: leave --device out")).into())
        }
    }
}

fn print(options: &Options, root_url: &str, found: &GrantCredentials) -> Result<()> {
    let GrantCredentials { client_id, access_token, certificate } = found;
    if options.user.json {
        return output::json(&serde_json::json!({
            "rootUrl": root_url, "clientId": client_id, "accessToken": access_token, "certificate": certificate,
        }));
    }
    options.shell.print_credentials(root_url, client_id, access_token, certificate)?;
    let until = falconer_client::Credentials::new(client_id.as_str(), access_token.as_str()).with_certificate(certificate.as_str());
    let until = until.ok().and_then(|credentials| credentials.expires_ms()).map(output::time);
    eprintln!("Signed in as {client_id}{}.", until.map_or_else(String::new, |time| format!(" until {time}")));
    Ok(())
}
