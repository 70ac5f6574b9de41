//! Signing in through a browser as an application: a code with PKCE (RFC 6749 section 4.1, RFC 7636, RFC 8252).

use anyhow::{Context as _, Result, bail};
use falconer_login::pkce_challenge;
use falconer_wire::scope_text;

use super::grant_page::{CANCELLED, within};
use super::loopback::{Answer, Loopback, random_word};
use super::oauth::{OAuthServer, Tokens};
use super::{Wish, pasted, surroundings};
use crate::output::harmless;

/// Has the request checked, shows where the page is, waits, and exchanges the code.
pub async fn sign_in(server: &OAuthServer, wish: &Wish<'_>) -> Result<Tokens> {
    if wish.scopes.iter().any(String::is_empty) {
        bail!("an empty scope stands for nothing: leave it out to ask for no particular scopes");
    }
    let loopback = Loopback::take(wish.port, "code").await?;
    // 43 characters at least, of 256 random bits.
    let verifier = format!("{}{}", random_word(), random_word());
    let redirect_uri = loopback.address();
    let mut parameters = vec![
        ("response_type", "code".to_owned()),
        ("redirect_uri", redirect_uri.clone()),
        ("state", loopback.state().to_owned()),
        ("code_challenge", pkce_challenge(&verifier)),
        ("code_challenge_method", "S256".to_owned()),
    ];
    if !wish.scopes.is_empty() {
        parameters.push(("scope", scope_text::write(wish.scopes.iter().map(String::as_str))));
    }
    let more = [
        ("expires", wish.expires.map(str::to_owned)),
        ("description", wish.description.map(str::to_owned)),
        ("device_name", surroundings::machine_name()),
    ];
    parameters.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
    server.check(&parameters).await.map_err(|failure| failure.into_error(&format!("{} refuses this request", server.root_url())))?;

    let mut address = url::Url::parse(server.root_url())?;
    address.set_path("/login/oauth/authorize");
    address.query_pairs_mut().append_pair("client_id", falconer_grants::COMMAND_LINE).extend_pairs(&parameters);
    let address = address.as_str().replace('+', "%20");
    eprintln!("Open this page to sign in and grant access:\n\n  {address}\n");
    if wish.opens_browser && open::that_detached(&address).is_err() {
        eprintln!("No browser could be opened: copy the address.");
    }
    let answer = within(wish.timeout, decision(&loopback, wish.takes_pasted)).await??;
    let code = code_of(&answer, server.root_url())?;
    let tokens = server.redeem(code, &redirect_uri, &verifier).await;
    tokens.map_err(|failure| failure.into_error("the page granted access, and the server did not give what was granted"))
}

/// At the port, or pasted: where the browser runs on another machine it finds nothing at this address, and the person has it before them.
async fn decision(loopback: &Loopback, takes_pasted: bool) -> Result<Answer> {
    match takes_pasted.then(pasted::lines).flatten() {
        None => loopback.answer().await,
        Some(mut lines) => {
            eprintln!("If the browser is on another machine, it ends at a page that it can't reach: paste that page's whole address here.");
            tokio::select! {
                found = loopback.answer() => found,
                found = pasted::answer(&mut lines, loopback.expected()) => Ok(found),
            }
        }
    }
}

/// The code of an answer, once it is known from whom it is (RFC 9207).
fn code_of<'a>(answer: &'a Answer, issuer: &str) -> Result<&'a str> {
    if answer.get("iss").map(String::as_str) != Some(issuer) {
        bail!("the answer is not from {issuer}: nothing was taken from it");
    }
    match answer.get("error").map(String::as_str) {
        None => {}
        Some("access_denied") => bail!(CANCELLED),
        Some(code) => {
            let words = answer.get("error_description").map_or("", String::as_str);
            bail!("{issuer} granted nothing: {} {}", harmless(code), harmless(words));
        }
    }
    answer.get("code").map(String::as_str).filter(|code| !code.is_empty()).context("the answer holds no code")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_somebody_else_is_not_taken() {
        let answer = |pairs: &[(&str, &str)]| -> Answer { pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() };
        let said = |pairs: &[(&str, &str)]| {
            let answer = answer(pairs);
            code_of(&answer, "https://auth.example.com").map(str::to_owned).map_err(|error| error.to_string())
        };
        let iss = ("iss", "https://auth.example.com");
        assert_eq!(said(&[iss, ("code", "c")]), Ok("c".to_owned()));
        assert!(said(&[("code", "c")]).unwrap_err().contains("not from"));
        assert!(said(&[("iss", "https://auth.example.com.evil"), ("code", "c")]).unwrap_err().contains("not from"));
        assert_eq!(said(&[iss, ("error", "access_denied")]), Err(CANCELLED.to_owned()));
        assert!(
            said(&[iss, ("error", "server_error"), ("error_description", "a\u{1b}b")]).unwrap_err().contains("server_error a\u{fffd}b")
        );
        assert!(said(&[iss, ("code", "")]).unwrap_err().contains("no code"));
    }
}
