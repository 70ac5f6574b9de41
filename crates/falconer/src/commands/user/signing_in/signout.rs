//! `falconer signout`: the grant ends whose credentials the environment or a session has, and they are forgotten here.

use anyhow::{Context as _, Result, bail};
use falconer_client::GrantEnd;

use crate::commands::user::UserOptions;
use crate::commands::user::session::{self, Source};
use crate::commands::user::shell::Shell;
use crate::output;

/// `falconer signout`
#[derive(clap::Args)]
#[command(after_help = "Of the present shell:  eval \"$(falconer signout)\"   (fish: falconer signout --fish | source)")]
pub struct Options {
    /// Forget the session here, also where its grant is not known to have ended
    #[arg(long)]
    forget: bool,
    #[command(flatten)]
    shell: Shell,
    #[command(flatten)]
    user: UserOptions,
}

/// Ends the grant. Where it is not known to have ended nothing is forgotten, so that it can be tried once more.
pub async fn run(options: Options) -> Result<()> {
    let chosen = options.user.chosen()?;
    let client = options.user.client_whatever_its_end()?;
    let Some(credentials) = client.credentials() else {
        bail!("there are no credentials: TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN are not set, and there is no session for this");
    };
    let client_id = credentials.client_id().to_owned();
    let listed = format!("{}/me/grants", client.root_url());
    let outcome = match client.end_grant().await {
        GrantEnd::Ended => Ok(()),
        GrantEnd::Counts(error) => {
            Err(error).context(format!("nothing has ended, and the credentials still count; {listed} lists what you granted"))
        }
        GrantEnd::NotKnown(error) => {
            Err(error).context(format!("nobody knows whether the grant has ended (sign out once more, or look at {listed})"))
        }
    };
    if let Source::Session(name) = &chosen.source
        && (outcome.is_ok() || options.forget)
    {
        session::store()?.change(|sessions| {
            // Somebody may have begun another one of this name meanwhile.
            if sessions.sessions.get(name).is_some_and(|session| session.client_id == client_id) {
                sessions.remove(name);
            }
            Ok(())
        })?;
    }
    outcome?;
    if options.user.json {
        output::json(&serde_json::json!({"clientId": client_id, "ended": true}))?;
    } else if chosen.source == Source::Environment {
        for name in ["TASKCLUSTER_CLIENT_ID", "TASKCLUSTER_ACCESS_TOKEN", "TASKCLUSTER_CERTIFICATE"] {
            output::line(&options.shell.line(name, ""))?;
        }
    }
    eprintln!("Signed out: {client_id} has ended.");
    Ok(())
}
