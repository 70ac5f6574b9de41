//! What stands for a grant: codes and tokens as they are kept, and the grant behind them.

use std::sync::Arc;

use falconer_auth::{BearerKind, KeyThumbprint, MINUTE_MS, TokenBounds, TokenScheme};
use falconer_login::{LoginError, hash_of_token};
use falconer_store::{GrantRecord, GrantSecretKind, GrantSecretRecord};

use crate::applications::application::ApplicationKind;
use crate::grants::Grants;
use crate::oauth::error::ExchangeError;
use crate::oauth::prepared::Prepared;
use crate::oauth::request::resources::services;
use crate::oauth::signed::form::TokenForm;
use crate::openid::tokens::IdTokenForm;
use falconer_wire::scope_text;

/// An access token is there to be exchanged for credentials.
const ACCESS_TOKEN_MS: i64 = 10 * MINUTE_MS;

/// An access token, and what gives others: secrets, so no `Debug`.
pub struct IssuedToken {
    /// The token itself.
    pub token: String,
    /// What gives others, once. `None`: a third party of the reference, which knows none, or a derived grant, for which whoever derived it derives another.
    pub refresh_token: Option<String>,
    /// How the token is shown: as `DPoP` where it is bound to a key.
    pub scheme: TokenScheme,
    /// How long it lasts.
    pub seconds: i64,
    /// What the token is worth, as a value of `scope`: what was granted, of a signed one what there is of that at its service. With what says who somebody is.
    pub scope: String,
    pub(crate) grant: GrantRecord,
    /// Of the ID token beside it.
    pub(crate) id_token: Option<Arc<IdTokenForm>>,
    /// Those of a refresh token are not.
    pub(crate) is_first: bool,
}

/// To whom tokens are given, and what for.
#[derive(Clone, Copy)]
pub(crate) struct IssuedTo<'a> {
    /// The id of the application.
    pub(crate) application: &'a str,
    pub(crate) redirect_uri: &'a str,
    /// What the access token is for; empty: it is bound to nothing.
    pub(crate) resources: &'a [String],
    pub(crate) prepared: &'a Prepared,
    /// What those may be for that the refresh token gives.
    pub(crate) may_be_for: &'a [String],
    /// The key that the access token is bound to, and the refresh token of an application that has no secret.
    pub(crate) proof_key: Option<KeyThumbprint>,
}

impl IssuedToken {
    /// Whether it came out of an exchange (RFC 8693).
    pub fn is_derived(&self) -> bool {
        self.grant.parent.is_some()
    }
}

impl Grants {
    pub(crate) async fn issue(&self, grant: &GrantRecord, of: IssuedTo<'_>) -> Result<IssuedToken, LoginError> {
        let IssuedTo { application, redirect_uri, prepared, may_be_for, proof_key, .. } = of;
        let identity = prepared.identity.as_ref();
        let jkt = proof_key.map(|key| key.to_string());
        let (token, expires_ms) = match &prepared.form {
            TokenForm::Opaque => self.issue_opaque(grant, of).await?,
            TokenForm::Signed(form) => self.sign_access_token(grant, form, application, proof_key, identity)?,
        };
        let refresh_token =
            match self.known_application(application).filter(|known| !known.kind().is_of_reference() && grant.parent.is_none()) {
                None => None,
                Some(known) => {
                    let token = self.auth.issue_token(BearerKind::Refresh, grant, TokenBounds::default(), grant.expires_ms)?;
                    let record = self.secret_of(GrantSecretKind::RefreshToken, &token, grant, application, redirect_uri, grant.expires_ms);
                    // Whoever has a secret proves who they are by that (RFC 9449 section 5).
                    let jkt = jkt.filter(|_| known.kind() == ApplicationKind::Public);
                    let record = GrantSecretRecord { resources: may_be_for.to_vec(), jkt, ..record };
                    self.store.insert_grant_secret(&record).await.map_err(|error| self.store_error(error))?;
                    Some(token)
                }
            };
        let seconds = (expires_ms - self.now_ms()).max(0) / 1000;
        // What says who somebody is was granted too, as far as the person let the application know.
        let identity_scopes = identity.iter().flat_map(|identity| &identity.scopes);
        let scope = match &prepared.form {
            TokenForm::Opaque => scope_text::write(identity_scopes.chain(&grant.scopes).map(String::as_str)),
            TokenForm::Signed(form) => {
                let told = scope_text::write(identity_scopes.map(String::as_str));
                [told.as_str(), form.scope.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
            }
        };
        let (grant, id_token) = (grant.clone(), prepared.id_token.clone());
        let scheme = if proof_key.is_some() { TokenScheme::Dpop } else { TokenScheme::Bearer };
        Ok(IssuedToken { token, refresh_token, scheme, seconds, scope, grant, id_token, is_first: true })
    }

    /// The token and its end, milliseconds since 1970.
    async fn issue_opaque(&self, grant: &GrantRecord, of: IssuedTo<'_>) -> Result<(String, i64), LoginError> {
        let expires_ms = self.now_ms().saturating_add(ACCESS_TOKEN_MS).min(grant.expires_ms);
        let unreadable = || LoginError::Internal(format!("the resources of a token of grant {} can't be read", grant.id));
        let services = services(of.resources).ok_or_else(unreadable)?;
        let bounds = TokenBounds { services, proof_key: of.proof_key };
        let token = self.auth.issue_token(BearerKind::Access, grant, bounds, expires_ms)?;
        let record = self.secret_of(GrantSecretKind::AccessToken, &token, grant, of.application, of.redirect_uri, expires_ms);
        let record = GrantSecretRecord { resources: of.resources.to_vec(), jkt: of.proof_key.map(|key| key.to_string()), ..record };
        self.store.insert_grant_secret(&record).await.map_err(|error| self.store_error(error))?;
        Ok((token, expires_ms))
    }

    pub(super) fn secret_of(
        &self,
        kind: GrantSecretKind,
        secret: &str,
        grant: &GrantRecord,
        application: &str,
        redirect_uri: &str,
        expires_ms: i64,
    ) -> GrantSecretRecord {
        GrantSecretRecord {
            hash: hash_of_token(kind.as_str(), secret),
            kind,
            grant: grant.id.clone(),
            application: application.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: None,
            resources: Vec::new(),
            jkt: None,
            expires_ms,
            kept_until_ms: expires_ms,
            used_ms: None,
        }
    }

    pub(super) async fn secret(&self, kind: GrantSecretKind, sent: &str) -> Result<Option<GrantSecretRecord>, ExchangeError> {
        let record = self.store.grant_secret(&hash_of_token(kind.as_str(), sent)).await.map_err(|error| self.read_error(error))?;
        Ok(record.filter(|record| record.kind == kind))
    }

    pub(crate) async fn live_grant(&self, id: &str) -> Result<Option<GrantRecord>, LoginError> {
        let grant = self.store.grant(id).await.map_err(|error| self.read_error(error))?;
        // What was derived is revoked with what it was derived from, and ends no later: the store says all of it, also where this server is behind.
        Ok(grant.filter(|grant| grant.revoked_ms.is_none() && self.now_ms() < grant.expires_ms))
    }

    pub(crate) async fn end_grant(&self, id: &str, reason: &str) -> Result<(), ExchangeError> {
        let Some(grant) = self.live_grant(id).await? else { return Ok(()) };
        // Whoever holds what the grant gave has done this, knowingly or not.
        let ended = self.login.revoke_grants(std::slice::from_ref(&grant.identity), &grant.client_id, vec![grant.id], reason);
        Ok(ended.await?)
    }
}
