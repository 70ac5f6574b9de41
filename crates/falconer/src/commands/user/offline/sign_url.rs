//! `falconer sign-url`: a URL with a signature in it (a bewit), for one GET after another until it ends.

use anyhow::Result;

use crate::commands::user::UserOptions;
use crate::commands::user::signing_in::grant_page::lifetime;
use crate::output::{self, WrongUse};

/// `falconer sign-url URL`
#[derive(clap::Args)]
pub struct Options {
    /// A whole URL of any service, or a path such as `/api/auth/v1/scopes/current` on the server
    url: String,
    /// For how long, such as `1 hour`; no longer than the present credentials
    #[arg(long, value_name = "TIME", value_parser = lifetime, default_value = "1 hour")]
    expires: String,
    #[command(flatten)]
    user: UserOptions,
}

/// Signs it and prints it.
pub fn run(options: &Options) -> Result<()> {
    let (client, url) = if options.url.starts_with('/') {
        (options.user.client()?, format!("{}{}", options.user.root_url()?, options.url))
    } else if options.url.contains("://") {
        (options.user.client_for(&options.url)?, options.url.clone())
    } else {
        let wrong = format!("`{}` is neither a whole URL nor a path on the server that begins with `/`", options.url);
        return Err(WrongUse(wrong).into());
    };
    let seconds = falconer_wire::time_expression::parse_ms(&options.expires)? / 1000;
    let seconds =
        u32::try_from(seconds).map_err(|_| WrongUse("so long a time is not possible: write something like `1 hour`".to_owned()))?;
    let signed = client.signed_url(&url, seconds)?;
    if options.user.json { output::json(&serde_json::json!({ "url": signed })) } else { output::line(&signed) }
}
