//! Refresh tokens (RFC 6749 section 6): each is exchanged once, and gives another (RFC 9700 section 4.14.2).

use std::collections::BTreeSet;

use falconer_auth::BearerKind;
use falconer_store::{GrantRecord, GrantSecretKind};

use crate::grants::Grants;
use crate::oauth::error::ExchangeError;
use crate::oauth::prepared::Prepared;
use crate::oauth::secrets::{IssuedTo, IssuedToken};
use crate::oauth::signed::form::TokenForm;
use crate::oauth::token::TokenRequest;
use falconer_wire::scope_text;

impl Grants {
    /// Other tokens for a refresh token of this application. Whoever comes with one that was used, or that was given to another application, has it from somewhere
    /// else: the grant ends. Of several uses at once one succeeds.
    pub(super) async fn refresh(&self, request: TokenRequest<'_>) -> Result<IssuedToken, ExchangeError> {
        // Third parties of the reference get none, and have no name to go by.
        let client = request.client.ok_or(ExchangeError::InvalidClient)?;
        let sent = request.required("refresh_token")?;
        let scope = request.parameters.one("scope")?;
        // Nothing is looked up for what Falconer has not made.
        let token = self.auth.read_token(BearerKind::Refresh, sent).ok_or(ExchangeError::RefreshToken)?;
        // What has ended would count again.
        self.login.check_clock()?;
        // Looked at before the use: whoever is first gets an answer, also when others come at the same time and end the grant.
        let grant = self.live_grant(&token.grant).await?.ok_or(ExchangeError::RefreshToken)?;
        let record = self.secret(GrantSecretKind::RefreshToken, sent).await?;
        let Some(record) = record.filter(|record| record.used_ms.is_none()) else {
            // Falconer has made it, and only what was used is forgotten before its grant ends.
            self.end_grant(&grant.id, "its refresh token was used more than once").await?;
            return Err(ExchangeError::RefreshToken);
        };
        if record.application != client.id() {
            self.end_grant(&grant.id, "its refresh token was used by another application").await?;
            return Err(ExchangeError::RefreshToken);
        }
        let resources = self.resources_of(request, &record.resources)?;
        let prepared = self.prepare(&resources, &grant, client.id()).await?.ok_or(ExchangeError::RefreshToken)?;
        if let Some(scope) = scope
            && !is_all_of(scope, &grant, &prepared)
        {
            return Err(ExchangeError::InvalidScope("The tokens of a grant are worth what the grant is: leave out the scope".to_owned()));
        }
        // Of no use to whoever has not the key: it is left to its owner.
        let proof_key = self.proved_key(request.proof, Some(client), record.jkt.as_deref()).await?;
        // Kept before the old one is used up: where the store fails in between, the application can come again.
        let to = IssuedTo {
            application: client.id(),
            redirect_uri: &record.redirect_uri,
            resources: &resources,
            prepared: &prepared,
            may_be_for: &record.resources,
            proof_key,
        };
        let issued = self.issue(&grant, to).await?;
        let issued = IssuedToken { is_first: false, ..issued };
        let is_first = self.store.use_grant_secret(&record.hash, self.now_ms()).await.map_err(|error| self.store_error(error))?;
        if !is_first {
            self.end_grant(&grant.id, "its refresh token was used more than once").await?;
            return Err(ExchangeError::RefreshToken);
        }
        Ok(issued)
    }
}

/// A token is never worth less than its grant, but for a signed one, which is worth what its service asks for: a request for less is refused rather than granted more
/// than it asks for. With or without what is told of the person, which gives nothing.
fn is_all_of(scope: &str, grant: &GrantRecord, prepared: &Prepared) -> bool {
    let Some(requested) = scope_text::read(scope) else { return false };
    let of_identity = prepared.identity.as_ref().map_or(&[][..], |identity| &identity.scopes);
    let is = |all: &[String]| {
        let requested: BTreeSet<&String> = requested.iter().filter(|scope| !of_identity.contains(scope) || all.contains(scope)).collect();
        requested == all.iter().collect()
    };
    let of_token = match &prepared.form {
        TokenForm::Opaque => None,
        TokenForm::Signed(form) => scope_text::read(&form.scope),
    };
    is(&grant.scopes) || of_token.is_some_and(|of_token| is(&of_token))
}
