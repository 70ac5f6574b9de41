//! `falconer signin`: a session for the commands that follow, or a grant to a loopback target of our own as lines for the shell.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Result, bail};
use falconer_client::{Client, GrantEnd, Retry};
use falconer_grants::CommandLine;
use falconer_wire::GrantCredentials;

use super::code::{self, CodeRequest};
use super::grant_page::{self, GrantPageRequest, lifetime, scope};
use super::oauth::{OAuthServer, Tokens, are_credentials};
use super::{device, surroundings};
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
    /// The port of loopback that waits for the answer; by default a free one. With a port of your own the page asks only once for the host to be typed
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
    if !options.prints() {
        return begin_session(&options, &root_url).await;
    }
    if options.device {
        let server = OAuthServer::at(&root_url)?;
        check_device(&root_url, server.command_line().await?)?;
        let tokens = device::sign_in(&server, &options.scopes).await?;
        return print(&options, &root_url, &server.credentials(&tokens.access_token).await?);
    }
    print(&options, &root_url, &by_page(&options, &root_url).await?)
}

impl Options {
    fn prints(&self) -> bool {
        let is_read = self.user.json || self.shell.is_given() || !std::io::stdout().is_terminal();
        self.print || (is_read && self.user.session().is_none())
    }
}

/// The form that every server with a grant page has, for whatever target.
async fn by_page(options: &Options, root_url: &str) -> Result<GrantCredentials> {
    let request = GrantPageRequest {
        scopes: &options.scopes,
        expires: options.expires.as_deref(),
        description: options.description.as_deref().unwrap_or("Credentials for the command line."),
        no_browser: options.no_browser,
        port: options.port,
        timeout: Some(Duration::from_secs(options.timeout)),
    };
    let mut answer: BTreeMap<String, String> = grant_page::ask(root_url, &request).await?;
    let mut value = |name: &str| answer.remove(name).unwrap_or_default();
    let found = GrantCredentials { client_id: value("clientId"), access_token: value("accessToken"), certificate: value("certificate") };
    if !are_credentials(&found) {
        bail!("the answer holds no credentials; what was granted is listed at {root_url}/me/grants");
    }
    Ok(found)
}

/// As an application where the server knows this command, which it says itself.
async fn begin_session(options: &Options, root_url: &str) -> Result<()> {
    // Before anybody looks at a page for nothing.
    let store = session::store()?;
    drop(store.lock()?);
    let name = options.user.session().map_or_else(|| default_name(root_url), str::to_owned);
    let server = OAuthServer::at(root_url)?;
    let may = server.command_line().await?;
    let has_wish = options.no_browser || options.port != 0 || options.expires.is_some() || options.description.is_some();
    let by_device = options.device || (may == CommandLine::BrowserAndDevice && !has_wish && !surroundings::has_browser());
    let tokens = if by_device {
        check_device(root_url, may)?;
        Some(device::sign_in(&server, &options.scopes).await?)
    } else if may == CommandLine::Off {
        None
    } else {
        if options.scopes.iter().any(String::is_empty) {
            bail!("an empty scope stands for nothing: leave it out to ask for no particular scopes");
        }
        let request = CodeRequest {
            scopes: &options.scopes,
            expires: options.expires.as_deref(),
            description: options.description.as_deref(),
            device_name: surroundings::machine_name(),
            opens_browser: !options.no_browser && surroundings::has_browser(),
            port: options.port,
            timeout: Duration::from_secs(options.timeout),
        };
        Some(code::sign_in(&server, &request).await?)
    };
    let (credentials, refresh_token) = match tokens {
        Some(Tokens { access_token, refresh_token }) => (server.credentials(&access_token).await?, refresh_token),
        None => (by_page(options, root_url).await?, None),
    };
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
