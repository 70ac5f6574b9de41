//! Signing in and out: through the browser, by the code of a device, or with lines for a shell.

mod code;
mod device;
pub mod grant_page;
mod loopback;
pub mod oauth;
mod pasted;
pub mod signin;
pub mod signout;
mod surroundings;

use std::time::Duration;

use anyhow::Result;
use falconer_grants::CommandLine;
use falconer_wire::GrantCredentials;

use oauth::{OAuthServer, Tokens};

/// What is asked for through a browser, and how.
pub struct Wish<'a> {
    /// These only; without any, everything that the person may do except what is broad.
    pub scopes: &'a [String],
    /// A lifetime, as [`grant_page::lifetime`] reads it.
    pub expires: Option<&'a str>,
    /// What the page shows as the reason.
    pub description: Option<&'a str>,
    /// Whether a browser is opened; the address is shown in any case.
    pub opens_browser: bool,
    /// The port of loopback that waits for the answer; 0 for a free one.
    pub port: u16,
    /// How long to wait for the decision; `None`: as long as it takes.
    pub timeout: Option<Duration>,
    /// Whether what is typed may be the address at which a browser on another machine ended.
    pub takes_pasted: bool,
}

/// What a person has granted: secrets, so no `Debug`.
pub struct Granted {
    /// What signs.
    pub credentials: GrantCredentials,
    /// What gives tokens of the same grant, once; not by the page of every site.
    pub refresh_token: Option<String>,
}

impl Granted {
    async fn of(server: &OAuthServer, tokens: Tokens) -> Result<Granted> {
        let credentials = server.credentials(&tokens.access_token).await?;
        Ok(Granted { credentials, refresh_token: tokens.refresh_token })
    }
}

/// As the application that this command is to servers which know it, and else by the page that they have for every site.
pub async fn through_browser(server: &OAuthServer, may: CommandLine, wish: &Wish<'_>) -> Result<Granted> {
    if may == CommandLine::Off {
        return Ok(Granted { credentials: grant_page::ask(server.root_url(), wish).await?, refresh_token: None });
    }
    Granted::of(server, code::sign_in(server, wish).await?).await
}
