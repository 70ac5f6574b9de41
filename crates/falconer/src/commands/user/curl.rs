//! `falconer curl`: a signed request to any service, the body on stdout.

use std::io::{Read, Write};

use anyhow::{Context, Result};
use falconer_client::{Error, Method};

use super::{ServiceRefused, UserOptions};
use crate::output::WrongUse;

/// `falconer curl [-X METHOD] [-d BODY] URL`
#[derive(clap::Args)]
pub struct Options {
    /// A whole URL of any service, or a path such as `/api/auth/v1/scopes/current` on the server
    url: String,
    /// The method; by default GET without a body, POST with one
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = method)]
    request: Option<Method>,
    /// A JSON body; `-` reads it from stdin
    #[arg(short, long, value_name = "BODY")]
    data: Option<String>,
    #[command(flatten)]
    user: UserOptions,
}

/// Sends it. An answer of 300 or above goes to stderr and is a failure.
pub async fn run(options: Options) -> Result<()> {
    let (client, url) = if options.url.starts_with('/') {
        (options.user.client()?, format!("{}{}", options.user.root_url()?, options.url))
    } else if options.url.contains("://") {
        (options.user.client_for(&options.url)?, options.url)
    } else {
        let wrong = format!("`{}` is neither a whole URL nor a path on the server that begins with `/`", options.url);
        return Err(WrongUse(wrong).into());
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
    let method = options.request.unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
    let server = options.user.root_url().ok().and_then(|url| origin(&url));
    let service = origin(&url).filter(|service| server.as_ref() != Some(service));
    let answer = client.fetch(&method, &url, body.as_deref()).await.map_err(|error| whole_answer(error, service))?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&answer)?;
    if !answer.is_empty() && !answer.ends_with(b"\n") {
        stdout.write_all(b"\n")?;
    }
    Ok(stdout.flush()?)
}

/// Whoever asks by hand wants to see the whole refusal, and its status.
fn whole_answer(error: Error, service: Option<String>) -> anyhow::Error {
    let Error::Api { status, body, .. } = &error else { return error.into() };
    let status = *status;
    if !body.is_null() {
        eprintln!("{body:#}");
    }
    let error = anyhow::Error::from(error);
    match service {
        Some(origin) => error.context(ServiceRefused { status, origin }),
        None => error.context(format!("the answer was {status}")),
    }
}

/// What a call to a URL is signed for.
fn origin(url: &str) -> Option<String> {
    Some(url::Url::parse(url).ok()?.origin().ascii_serialization())
}

fn method(name: &str) -> Result<Method, String> {
    name.to_uppercase().parse().map_err(|_| "write something like PUT".to_owned())
}
