//! `falconer status`: who is signed in, where, until when, and whether the server agrees.

use anyhow::{Result, bail};
use serde_json::json;

use super::live::{self, Live};
use super::{Chosen, Source};
use crate::commands::user::UserOptions;
use crate::output::{self, Ended};

/// `falconer status`
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    user: UserOptions,
}

/// Prints it. Ends with 1 where nobody is signed in, or where the server does not say that the credentials hold.
pub async fn run(options: Options) -> Result<()> {
    let Chosen { credentials, source, .. } = options.user.chosen()?;
    let Some(credentials) = credentials else {
        bail!(
            "nobody is signed in here: there are no credentials in the environment, and no session for this; `falconer signin` begins one"
        );
    };
    let client = options.user.client_whatever_its_end()?;
    let root_url = client.root_url().to_owned();
    let from = match &source {
        Source::Session(name) => format!("the session {name}"),
        Source::Environment | Source::Nowhere => "the environment".to_owned(),
    };
    let live = live::ask(client).await;
    let (word, said) = match &live {
        Live::Accepted(_) => ("accepted", "the server accepts them".to_owned()),
        Live::Refused(error) => ("refused", format!("the server refuses them: {error}")),
        Live::NotKnown(error) => ("not-known", format!("not known: {error}")),
    };
    let scopes = if let Live::Accepted(scopes) = &live { *scopes } else { None };
    let ends = credentials.expires_ms().map(output::time);
    if options.user.json {
        let session = if let Source::Session(name) = &source { Some(name) } else { None };
        output::json(&json!({
            "rootUrl": root_url, "clientId": credentials.client_id(), "session": session, "expires": ends, "scopes": scopes, "check": word,
        }))?;
    } else {
        output::fields(&[
            ("server", vec![root_url]),
            ("signed in as", vec![credentials.client_id().to_owned()]),
            ("from", vec![from]),
            ("scopes", vec![scopes.map_or_else(|| "not known".to_owned(), |count| count.to_string())]),
            ("ends", vec![ends.unwrap_or_else(|| "when somebody ends it".to_owned())]),
            ("check", vec![said]),
        ])?;
    }
    match live {
        Live::Accepted(_) => Ok(()),
        Live::Refused(error) => Err(anyhow::Error::from(error).context("the credentials do not hold")),
        Live::NotKnown(_) => Err(Ended { code: 1, said: "whether the credentials hold is not known".to_owned() }.into()),
    }
}
