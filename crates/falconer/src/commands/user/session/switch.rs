//! `falconer switch`: which session the commands use, and which there are.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{name, store};
use crate::output;

/// `falconer switch [NAME]`
#[derive(clap::Args)]
pub struct Options {
    /// The session that commands use from now on; without it, all sessions are listed
    #[arg(value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Chooses one, or lists all.
pub fn run(options: &Options) -> Result<()> {
    let Some(name) = &options.name else { return list(options.json) };
    let root_url = store()?.change(|sessions| {
        let session = sessions
            .sessions
            .get(name)
            .with_context(|| format!("there is no session {name}: `falconer switch` lists those that there are"))?;
        sessions.current = Some(name.clone());
        Ok(session.root_url.clone())
    })?;
    if options.json {
        return output::json(&json!({ "session": name, "rootUrl": root_url }));
    }
    eprintln!("The commands use the session {name} at {root_url}, where the environment has no credentials.");
    Ok(())
}

fn list(as_json: bool) -> Result<()> {
    let sessions = store()?.read()?;
    let is_current = |name: &String| sessions.current.as_ref() == Some(name);
    let end = |ms: Option<i64>| ms.map_or_else(|| "-".to_owned(), output::time);
    if as_json {
        let all = sessions.sessions.iter().map(|(name, session)| {
            json!({
                "session": name, "current": is_current(name), "rootUrl": session.root_url, "clientId": session.client_id,
                "expires": session.ends_ms().map(output::time), "signedIn": output::time(session.signed_in_ms),
            })
        });
        return output::json(&all.collect::<Vec<_>>());
    }
    if sessions.sessions.is_empty() {
        eprintln!("There are no sessions: `falconer signin` begins one.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = sessions
        .sessions
        .iter()
        .map(|(name, session)| {
            let mark = if is_current(name) { "*" } else { "" };
            vec![mark.to_owned(), name.clone(), session.root_url.clone(), end(session.ends_ms()), session.client_id.clone()]
        })
        .collect();
    output::table(&["", "session", "server", "ends", "signed in as"], &rows)
}
