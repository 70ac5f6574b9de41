//! Signing in by a short code that a person types elsewhere (RFC 8628).

use std::time::Duration;

use anyhow::{Result, bail};
use falconer_wire::scope_text;

use super::oauth::{OAuthServer, Tokens};
use super::surroundings;
use crate::output::harmless;

/// Where the server says nothing (RFC 8628 section 3.2).
const INTERVAL_SECONDS: u64 = 5;
/// Longer is not waited, whatever a server says.
const LONGEST_SECONDS: u64 = 3_600;

/// Shows the code, and waits for what the person answers.
pub async fn sign_in(server: &OAuthServer, scopes: &[String]) -> Result<Tokens> {
    let scope = (!scopes.is_empty()).then(|| scope_text::write(scopes.iter().map(String::as_str)));
    let codes = server.device(scope, surroundings::machine_name()).await;
    let codes = codes.map_err(|failure| failure.into_error(&format!("{} refuses this request", server.root_url())))?;
    eprintln!(
        "On any device with a browser, open\n\n  {}\n\nand type the code\n\n  {}\n",
        harmless(&codes.verification_uri),
        harmless(&codes.user_code)
    );
    if let Some(complete) = &codes.verification_uri_complete {
        eprintln!("This address has the code in it: {}", harmless(complete));
    }
    let life = Duration::from_secs(codes.expires_in.min(LONGEST_SECONDS));
    eprintln!("Waiting for the answer; the code ends after {} minutes.", life.as_secs() / 60);
    let answered = tokio::time::timeout(life, answer(server, &codes.device_code, codes.interval.unwrap_or(INTERVAL_SECONDS))).await;
    answered.unwrap_or_else(|_| bail!(TOO_LATE))
}

const TOO_LATE: &str = "nobody answered before the code ended: run it again for another code";

async fn answer(server: &OAuthServer, device_code: &str, interval_seconds: u64) -> Result<Tokens> {
    let mut interval = Duration::from_secs(interval_seconds.clamp(1, LONGEST_SECONDS));
    loop {
        tokio::time::sleep(interval).await;
        let failure = match server.poll(device_code).await {
            Ok(tokens) => return Ok(tokens),
            Err(failure) => failure,
        };
        match failure.code() {
            Some("authorization_pending") => {}
            Some("slow_down") => interval += Duration::from_secs(5),
            Some("access_denied") => bail!("Cancel was pressed on the page: nothing was granted"),
            Some("expired_token") => bail!(TOO_LATE),
            // A poll that got no answer says nothing of the code: wait longer (RFC 8628 section 3.5). Neither does a server that can't answer now.
            code if failure.is_for_now() || (code.is_none() && !failure.is_not_done()) => {
                interval = interval.saturating_mul(2).min(Duration::from_secs(60));
            }
            _ => return Err(failure.into_error("the code of the device counts no more")),
        }
    }
}
