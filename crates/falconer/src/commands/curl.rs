//! `falconer curl`: a signed request to any service, the body on stdout.

use std::io::{Read, Write};

use anyhow::{Context, Result};
use falconer_client::Method;

use super::user::UserOptions;

/// `falconer curl [-X METHOD] [-d BODY] URL`
#[derive(clap::Args)]
pub struct Options {
    /// A whole URL, or a path such as `/api/auth/v1/scopes/current` on the server
    url: String,
    /// The method; GET without a body, POST with one
    #[arg(short = 'X', long)]
    request: Option<String>,
    /// A JSON body; `-` reads it from stdin
    #[arg(short, long)]
    data: Option<String>,
    #[command(flatten)]
    user: UserOptions,
}

/// Sends it. An answer of 400 or above is printed to stderr and is a failure.
pub async fn run(options: Options) -> Result<()> {
    let client = options.user.client()?;
    let url = if options.url.starts_with('/') {
        format!("{}{}", options.user.root_url()?.trim_end_matches('/'), options.url)
    } else {
        options.url
    };
    let body = match options.data.as_deref() {
        Some("-") => {
            let mut text = Vec::new();
            std::io::stdin().read_to_end(&mut text).context("can't read stdin")?;
            Some(text)
        }
        Some(text) => Some(text.as_bytes().to_vec()),
        None => None,
    };
    let method = match options.request {
        Some(name) => name.to_uppercase().parse::<Method>().with_context(|| format!("`{name}` is no HTTP method"))?,
        None if body.is_some() => Method::POST,
        None => Method::GET,
    };
    let answer = client.fetch(&method, &url, body.as_deref()).await?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&answer)?;
    if !answer.ends_with(b"\n") {
        stdout.write_all(b"\n")?;
    }
    Ok(())
}
