//! Derived grants: a part of a grant for one task, taken by whoever has it, for a token (RFC 8693) or for credentials.

use falconer_auth::{ApiError, Authentication, Issued, NewDerivedGrant};
use falconer_login::LoginError;
use falconer_scopes::ScopeSet;
use falconer_wire::time_expression;

use crate::grants::Grants;
use crate::oauth::error::ExchangeError;
use crate::oauth::prepared::Prepared;
use crate::oauth::secrets::{IssuedTo, IssuedToken};
use crate::oauth::token::{ACCESS_TOKEN_TYPE, TokenRequest, subject_token};
use falconer_wire::scope_text;

impl Grants {
    /// Derives a grant from the one whose own credentials have signed.
    pub async fn derive_grant(&self, who: &Authentication, new: &NewDerivedGrant) -> Result<Issued, ApiError> {
        self.auth.derive_grant(who, new).await
    }

    /// A token of less, for an access token of this application (RFC 8693 section 2).
    pub(crate) async fn exchange_token(&self, request: TokenRequest<'_>) -> Result<IssuedToken, ExchangeError> {
        let parameters = request.parameters;
        let sent = subject_token(parameters)?;
        if parameters.one("requested_token_type")?.is_some_and(|requested| requested != ACCESS_TOKEN_TYPE) {
            return Err(ExchangeError::InvalidRequest(format!("What comes out of it is of the type {ACCESS_TOKEN_TYPE}")));
        }
        if parameters.has("actor_token") {
            return Err(ExchangeError::InvalidRequest("Nobody acts for somebody else: leave out the actor_token".to_owned()));
        }
        if parameters.has("audience") {
            return Err(ExchangeError::InvalidTarget("A service is named by its URL, as resource: leave out the audience"));
        }
        let scopes = match parameters.one("scope")? {
            Some(text) => {
                Some(scope_text::read(text).ok_or_else(|| ExchangeError::InvalidScope("The scope is written as no scope is".to_owned()))?)
            }
            None => None,
        };
        let expires_ms = match parameters.one("expires")?.map(time_expression::parse_ms) {
            None => None,
            Some(Ok(ms)) => Some(self.now_ms().saturating_add(ms)),
            Some(Err(error)) => return Err(ExchangeError::InvalidRequest(error.to_string())),
        };
        let purpose = parameters.one("purpose")?.map(str::to_owned);
        let subject = match self.token_and_grant(sent).await.map(|(_, record, grant)| (record, grant)) {
            // What a token of others is worth is nothing for whoever shows it here (RFC 8693 section 2.2.2).
            Err(ExchangeError::InvalidToken) => {
                let text = "The subject_token does not count, or it is for some services only, and those are not exchanged";
                return Err(ExchangeError::InvalidRequest(text.to_owned()));
            }
            subject => subject?,
        };
        let (record, grant) = subject;
        if !self.may_use(&record.application, request.client) {
            return Err(ExchangeError::OtherClient);
        }
        // What is bound to some services is not exchanged, so that there is nothing to be narrowed.
        let resources = self.resources_of(request, &[])?;
        // Bound to the key of the token that it comes from, or to one of its own where that is bound to none.
        let proof_key = self.proved_key(request.proof, request.client.map(|client| &**client), record.jkt.as_deref()).await?;
        // Where it names nothing: what is left of the grant, of which the person may have lost something.
        let scopes = match (scopes, self.auth.grant_scopes(&grant.id)) {
            (Some(scopes), _) => scopes,
            (None, Some(held)) => ScopeSet::new(&grant.scopes).intersection(&held).to_vec(),
            (None, None) => grant.scopes.clone(),
        };
        if scopes.is_empty() {
            return Err(ExchangeError::InvalidScope("The grant of the subject_token gives nothing any more".to_owned()));
        }
        let gone = || ExchangeError::InvalidRequest("The subject_token does not count".to_owned());
        let form = self.form_of(&resources, &grant.id, Some(&scopes)).await?.ok_or_else(gone)?;
        let derived = self.auth.derive_from(&grant.id, &NewDerivedGrant { scopes, expires_ms, purpose }).await;
        let derived = derived.map_err(refused)?.grant;
        let of = IssuedTo {
            application: &record.application,
            redirect_uri: &record.redirect_uri,
            resources: &resources,
            // Whoever a part is given to is not told who the person is.
            prepared: &Prepared::unidentified(form),
            may_be_for: &[],
            proof_key,
        };
        Ok(self.issue(&derived, of).await.map_err(LoginError::after_a_change)?)
    }
}

fn refused(error: ApiError) -> ExchangeError {
    match error {
        ApiError::InsufficientScopes { .. } => {
            ExchangeError::InvalidScope("The grant of the subject_token does not give that scope".to_owned())
        }
        ApiError::AuthenticationFailed(_) => ExchangeError::InvalidRequest("The subject_token does not count".to_owned()),
        ApiError::InputError(text) | ApiError::RequestConflict(text) => ExchangeError::InvalidRequest(text),
        other => ExchangeError::Login(LoginError::from(other)),
    }
}
