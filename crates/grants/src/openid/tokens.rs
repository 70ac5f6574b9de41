//! ID tokens (OpenID Connect Core 1.0 section 2), and what an access token says of a person (section 5.3).

use std::sync::Arc;

use falconer_auth::{MINUTE_MS, ShownToken, SigningKey};
use falconer_login::{LoginError, Person};
use falconer_store::{GrantIdentityRecord, GrantRecord, SignInMethod};
use serde_json::{Map, Value, json};

use crate::applications::application::Application;
use crate::grants::Grants;
use crate::oauth::error::ExchangeError;
use crate::oauth::secrets::IssuedToken;
use crate::openid::keys::{ID_TOKEN, half_hash};

/// An ID token is looked at when it comes.
const LIFE_MS: i64 = 10 * MINUTE_MS;

/// What an ID token needs, before it is made.
pub(crate) struct IdTokenForm {
    application: Arc<Application>,
    person: Person,
    identity: GrantIdentityRecord,
    key: Arc<SigningKey>,
}

impl Grants {
    /// What the ID token needs of a grant whose application is told who the person is. `None`: one of both is gone.
    pub(crate) async fn id_token_form(
        &self,
        grant: &GrantRecord,
        identity: &GrantIdentityRecord,
        application: &str,
    ) -> Result<Option<IdTokenForm>, LoginError> {
        let Some(application) = self.known_application(application) else { return Ok(None) };
        let Some(person) = self.login.active_person(&grant.identity).await? else { return Ok(None) };
        let key = self.signing_key(application.settings.id_token_alg).await?;
        Ok(Some(IdTokenForm { application, person, identity: identity.clone(), key }))
    }

    /// The ID token beside an access token. `None`: the person has not let the application know who they are, or it did not ask. `issuer` is Falconer's own origin.
    pub fn id_token(&self, issued: &IssuedToken, issuer: &str) -> Result<Option<String>, ExchangeError> {
        // As it was when the access token was made: others who come with the same code meanwhile end it, and whoever was first gets an answer.
        let grant = &issued.grant;
        let Some(form) = &issued.id_token else { return Ok(None) };
        let IdTokenForm { application, person, identity, key } = &**form;
        let algorithm = application.settings.id_token_alg;
        let mut claims = claims(grant, identity, person);
        let now_ms = self.now_ms();
        claims.insert("iss".to_owned(), issuer.into());
        claims.insert("aud".to_owned(), application.id().into());
        claims.insert("iat".to_owned(), (now_ms / 1000).into());
        claims.insert("exp".to_owned(), (now_ms.saturating_add(LIFE_MS).min(grant.expires_ms) / 1000).into());
        claims.insert("at_hash".to_owned(), half_hash(algorithm, &issued.token).into());
        // It answers the request, and the request was answered once (section 12.2).
        if let Some(nonce) = identity.nonce.as_ref().filter(|_| issued.is_first) {
            claims.insert("nonce".to_owned(), nonce.as_str().into());
        }
        if let Some(proved_ms) = identity.proved_ms {
            claims.insert("auth_time".to_owned(), (proved_ms / 1000).into());
        }
        // As it was granted: a session that has ended meanwhile keeps its name.
        if let Some(sid) = &identity.sid {
            claims.insert("sid".to_owned(), sid.as_str().into());
        }
        claims.insert("acr".to_owned(), identity.factors.to_string().into());
        if let Some(methods) = SignInMethod::ALL.into_iter().find(|method| method.as_str() == identity.method).and_then(methods) {
            claims.insert("amr".to_owned(), json!(methods));
        }
        let signed = key.sign(algorithm, ID_TOKEN, &Value::Object(claims));
        let signed = signed.ok_or_else(|| LoginError::Internal("an ID token could not be signed".to_owned()))?;
        Ok(Some(signed))
    }

    /// `GET /login/oauth/userinfo`.
    pub async fn user_info(&self, shown: &ShownToken<'_>) -> Result<Value, ExchangeError> {
        let grant = self.grant_of_token(shown).await?;
        let identity = self.grant_identity(&grant.id).await?.ok_or(ExchangeError::NoOpenId)?;
        let person = self.login.active_person(&grant.identity).await?.ok_or(ExchangeError::InvalidToken)?;
        Ok(Value::Object(claims(&grant, &identity, &person)))
    }

    /// What the application of a grant gets to know of the person. `None`: nothing.
    pub(crate) async fn grant_identity(&self, grant: &str) -> Result<Option<GrantIdentityRecord>, LoginError> {
        self.store.grant_identity(grant).await.map_err(|error| self.read_error(error))
    }
}

/// Who it is, and what the granted scopes say of them as it is now (OpenID Connect Core 1.0 section 5.4).
fn claims(grant: &GrantRecord, identity: &GrantIdentityRecord, person: &Person) -> Map<String, Value> {
    let mut claims = Map::new();
    let is_granted = |scope: &str| identity.scopes.iter().any(|granted| granted == scope);
    claims.insert("sub".to_owned(), identity.subject.as_str().into());
    if is_granted("profile") {
        claims.insert("preferred_username".to_owned(), grant.identity.as_str().into());
        if !person.display_name.trim().is_empty() {
            claims.insert("name".to_owned(), person.display_name.as_str().into());
        }
    }
    if let Some(email) = person.email.as_deref().filter(|_| is_granted("email")) {
        claims.insert("email".to_owned(), email.into());
        claims.insert("email_verified".to_owned(), person.email_verified.into());
    }
    if is_granted("groups") {
        claims.insert("groups".to_owned(), json!(person.groups));
    }
    claims
}

/// `amr` (RFC 8176). What a provider asked for is not known.
fn methods(method: SignInMethod) -> Option<&'static [&'static str]> {
    match method {
        SignInMethod::Password => Some(&["pwd"]),
        SignInMethod::Passkey => Some(&["pop", "user", "mfa"]),
        SignInMethod::RecoveryCode | SignInMethod::SetupLink => Some(&["otp"]),
        SignInMethod::Provider => None,
    }
}
