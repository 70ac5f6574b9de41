//! Access tokens of OAuth 2, which are shown and sign nothing.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Place;
use super::grants::person;
use super::kinds::{Calls, Given, Kind};
use crate::requests::browser::{Fields, Person};

/// The application that asks, which keeps no secret.
const APPLICATION: &str = "bench";
const CALLBACK: &str = "http://127.0.0.1/callback";
/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A token by the code flow, which the application revokes: the first one of its grant by itself, or one that it was refreshed to by the refresh token that came with it.
pub(super) struct Token {
    person: Person,
    refreshes: bool,
    /// What is revoked.
    revoked: String,
}

impl Token {
    pub(super) fn new(place: &Place<'_>, mut calls: Calls, refreshes: bool) -> Result<Token> {
        let application = json!({
            "name": "A measurement", "redirectUris": [CALLBACK], "scopes": ["auth:current-scopes"], "kind": "public",
        });
        calls.done("PUT", &format!("/api/falconer/v1/applications/{APPLICATION}"), Some(&application))?;
        Ok(Token { person: person(place)?, refreshes, revoked: String::new() })
    }

    fn exchange(&mut self, more: &[(&str, &str)]) -> Result<(String, String)> {
        let answer = self.person.post_for_json("/login/oauth/token", &form(more))?;
        let text =
            |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no {name} in {answer}"));
        Ok((text("access_token")?, text("refresh_token")?))
    }
}

impl Kind for Token {
    fn give(&mut self) -> Result<Given> {
        let code = self.person.code(APPLICATION, CALLBACK, "auth:current-scopes", CHALLENGE)?;
        let exchange = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
        let (mut token, mut refresh) = self.exchange(&exchange)?;
        if self.refreshes {
            (token, refresh) = self.exchange(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)])?;
        }
        self.revoked = if self.refreshes { refresh } else { token.clone() };
        Ok(Given::Token(token))
    }

    fn take(&mut self) -> Result<()> {
        let revoked = std::mem::take(&mut self.revoked);
        self.person.post_for_json("/login/oauth/revoke", &form(&[("token", &revoked)])).map(drop)
    }
}

fn form(more: &[(&str, &str)]) -> Fields {
    let own = [("client_id", APPLICATION)];
    own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
