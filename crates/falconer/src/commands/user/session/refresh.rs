//! `falconer refresh`: the refresh token of a session for another, which shows that its grant lives.
//!
//! A refresh token counts once, and whoever comes with a used one ends the grant (ADR 269). So one command at a time uses it, and that it was sent is
//! written down before it is: where the answer is lost, nobody sends it a second time.

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::{Source, store};
use crate::commands::user::UserOptions;
use crate::commands::user::signing_in::oauth::{OAuthServer, Tokens};
use crate::output;

/// `falconer refresh`
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    user: UserOptions,
}

/// Refreshes the session, and says until when it lasts.
pub async fn run(options: Options) -> Result<()> {
    let name = match options.user.chosen()?.source {
        Source::Session(name) => name,
        Source::Environment => {
            bail!("the credentials are those of the environment, and only a session can be refreshed: `--session` names one")
        }
        Source::Nowhere => bail!("nobody is signed in here, and only a session can be refreshed: `falconer signin` begins one"),
    };
    let found = store()?.read()?;
    let session = found.sessions.get(&name).with_context(|| format!("there is no session {name}"))?;
    let tokens = tokens_of(&name, None).await?;
    // That the grant lives is known: the token is of this moment. That its credentials are the same each time is not taken for granted.
    let credentials = OAuthServer::at(&session.root_url)?.credentials(&tokens.access_token).await?;
    store()?.change(|sessions| {
        // Another command may have signed in anew under this name: the credentials of one grant do not go with the tokens of another.
        let same =
            sessions.sessions.get_mut(&name).filter(|now| now.signed_in_ms == session.signed_in_ms && now.root_url == session.root_url);
        let session = same.with_context(|| format!("the session {name} was signed out, or another one was begun, meanwhile"))?;
        session.client_id.clone_from(&credentials.client_id);
        session.access_token.clone_from(&credentials.access_token);
        session.certificate.clone_from(&credentials.certificate);
        Ok(())
    })?;
    let ends = store()?.read()?.sessions.get(&name).and_then(super::Session::ends_ms).map(output::time);
    if options.user.json {
        return output::json(&json!({ "session": name, "expires": ends }));
    }
    eprintln!("The session {name} holds{}.", ends.map_or_else(String::new, |time| format!(" until {time}; then sign in again")));
    Ok(())
}

/// A token of the session of this moment, for one service only where `resource` names its origin.
pub async fn tokens_of(name: &str, resource: Option<&str>) -> Result<Tokens> {
    let store = store()?;
    // Held until the answer is written: a second command waits, and uses the token that this one was given.
    let mut locked = store.lock()?;
    let session = locked.sessions.sessions.get_mut(name).with_context(|| format!("there is no session {name}"))?;
    let Some(refresh_token) = session.refresh_token.clone() else {
        bail!("the server gave the session {name} nothing to refresh it with: `falconer signin` begins another");
    };
    if session.refresh_in_doubt {
        bail!(
            "the last refresh of the session {name} was sent, and its answer was lost. To send it once more could end the grant, so this is not done: its signed calls go on, \
             and `falconer signin` begins another session"
        );
    }
    let server = OAuthServer::at(&session.root_url)?;
    session.refresh_in_doubt = true;
    locked.write()?;
    let refreshed = server.refresh(&refresh_token, resource).await;
    let session = locked.sessions.sessions.get_mut(name).with_context(|| format!("there is no session {name}"))?;
    match refreshed {
        Ok(tokens) => {
            session.refresh_in_doubt = false;
            session.refresh_token.clone_from(&tokens.refresh_token);
            locked.write()?;
            Ok(tokens)
        }
        Err(error) => {
            // The server has said no, or nothing was sent: the token is as it was.
            if error.is_not_done() {
                session.refresh_in_doubt = false;
                locked.write()?;
            }
            Err(error.into_error(&format!("the session {name} was not refreshed")))
        }
    }
}
