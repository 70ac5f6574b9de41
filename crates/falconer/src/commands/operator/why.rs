//! `falconer why ID`: what was compared when a request was refused. A server remembers its refusals in memory, so it is asked: with the credentials of the
//! environment, or, on its own machine, with those of the root client.

use anyhow::{Context, Result, bail};
use falconer_auth::ROOT_CLIENT;
use falconer_client::{Client, Credentials};
use falconer_wire::{ExplainedRequest, Explanation};

use crate::commands::people::{Place, PlaceOptions};
use crate::output;

/// `falconer why ID`
#[derive(clap::Args)]
pub struct Options {
    /// The id of the refusal: in the answer of check, or in the header Falconer-Refusal
    #[arg(value_name = "ID", value_parser = refusal_id, allow_hyphen_values = true)]
    id: String,
    #[command(flatten)]
    place: PlaceOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Asks, and prints what was found out.
pub async fn run(options: Options) -> Result<()> {
    let client = match options.place.open().await? {
        Place::There(client) => *client,
        Place::Here(node, origin) => {
            let directory = node.auth.directory();
            let root = directory.client(ROOT_CLIENT).filter(|root| !root.is_disabled()).with_context(|| {
                format!(
                    "there is no {ROOT_CLIENT} that the server could be asked with; use --remote, with credentials that have auth:explain:*"
                )
            })?;
            Client::new(origin.as_str())?.with_credentials(Credentials::new(ROOT_CLIENT, root.record().access_token.expose()))
        }
    };
    let Some(explanation) = client.explain(&options.id).await? else {
        bail!("the server remembers no refusal {}: it keeps the recent ones only, and none from before its start", options.id);
    };
    if options.json { output::json(&explanation) } else { print(&explanation) }
}

/// As the server makes them.
fn refusal_id(text: &str) -> Result<String, String> {
    let is_one = text.len() == 22 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_one { Ok(text.to_owned()) } else { Err("the id of a refusal is 22 letters, digits, `-` and `_`".to_owned()) }
}

fn print(explanation: &Explanation) -> Result<()> {
    let expression = |expression: &Option<falconer_scopes::Expression>| expression.iter().map(ToString::to_string).collect();
    let one = |text: &Option<String>| text.iter().cloned().collect();
    output::fields(&[
        ("refused", vec![format!("{} by {}", explanation.time, explanation.by)]),
        ("why", vec![format!("{}: {}", explanation.reason, explanation.message)]),
        ("request", vec![place(&explanation.request)]),
        ("client", one(&explanation.client_id)),
        ("claimed client", one(&explanation.claimed_id)),
        ("clock offset", explanation.clock_offset_seconds.iter().map(|seconds| format!("{seconds} s")).collect()),
        ("signed hash", one(&explanation.signed_hash)),
        ("hash that arrived", one(&explanation.payload_hash)),
        ("required", expression(&explanation.required)),
        ("missing", expression(&explanation.missing)),
        ("would match", explanation.would_match.iter().map(place).collect()),
        ("hints", explanation.hints.clone()),
    ])
}

fn place(request: &ExplainedRequest) -> String {
    format!("{} {} at {}:{}", request.method, request.resource, request.host, request.port)
}
