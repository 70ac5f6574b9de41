//! What a token is worth at present (RFC 7662), for those who may know.

use falconer_auth::{BearerKind, Caller, TokenOfGrant};
use falconer_store::{GrantRecord, GrantSecretKind};

use crate::applications::application::ApplicationKind;
use crate::grants::Grants;
use crate::oauth::client::client_proof::ClientProof;
use crate::oauth::error::ExchangeError;
use crate::oauth::request::parameters::Parameters;
use falconer_wire::scope_text;

/// Whoever holds it with the id of an application behind it may ask about the tokens of that application.
const SCOPE: &str = "auth:introspect-token:";

/// Who asks.
#[derive(Clone, Copy)]
pub enum Introspector<'a> {
    /// An application, about its own tokens. It has to prove who it is.
    Application(ClientProof<'a>),
    /// A service with credentials that hold, about the tokens of the applications that its scopes name.
    Service(&'a Caller),
}

/// A token that counts at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveToken {
    /// What it is for.
    pub kind: BearerKind,
    /// To which application it was given.
    pub application: String,
    /// What the grant gives at present, as a value of `scope`.
    pub scope: String,
    /// What it is for; empty: it is bound to nothing.
    pub resources: Vec<String>,
    /// The key that it is bound to, as a thumbprint (RFC 9449 section 6.2).
    pub jkt: Option<String>,
    /// When it ends, seconds since 1970.
    pub expires_seconds: i64,
}

/// What is known of a token, by what is kept of it or by what it says itself.
pub(super) struct KnownToken {
    kind: BearerKind,
    pub(super) grant: String,
    pub(super) application: String,
    resources: Vec<String>,
    jkt: Option<String>,
    expires_ms: i64,
    /// It was exchanged, or nothing is kept of it any more.
    is_used: bool,
}

impl Grants {
    /// `POST /login/oauth/introspect`. `None`: the token does not count, or is none of theirs; nobody is told which.
    pub async fn introspect(&self, parameters: &Parameters, by: Introspector<'_>) -> Result<Option<ActiveToken>, ExchangeError> {
        let client = match by {
            Introspector::Service(_) => None,
            Introspector::Application(proof) => {
                // Whoever proves nothing could be anybody who found a token (RFC 7662 section 2.1).
                let client = self.client(proof).await?.filter(|client| client.kind() == ApplicationKind::Confidential);
                Some(client.ok_or(ExchangeError::InvalidClient)?)
            }
        };
        let missing = || ExchangeError::InvalidRequest("Missing required parameter: token".to_owned());
        let sent = parameters.one("token")?.ok_or_else(missing)?;
        let is_theirs = |application: &str| match (client, by) {
            (Some(client), _) => client.id() == application,
            (None, Introspector::Service(caller)) => caller.scopes.satisfies(&format!("{SCOPE}{application}")),
            (None, Introspector::Application(_)) => false,
        };
        self.login.check_clock()?;
        let Some(known) = self.known_token(sent).await? else { return Ok(None) };
        if !is_theirs(&known.application) || known.is_used || self.now_ms() >= known.expires_ms {
            return Ok(None);
        }
        // Deleted, or of a host that the operator wants no more: what gives no credentials is worth nothing here either.
        if self.known_application(&known.application).is_none() {
            return Ok(None);
        }
        let Some(grant) = self.live_grant(&known.grant).await? else { return Ok(None) };
        Ok(self.active(known, &grant))
    }

    fn active(&self, known: KnownToken, grant: &GrantRecord) -> Option<ActiveToken> {
        // The person may do less by now, or be gone.
        let scopes = self.auth.grant_scopes(&grant.id)?;
        Some(ActiveToken {
            kind: known.kind,
            application: known.application,
            scope: scope_text::write(scopes.iter()),
            resources: known.resources,
            jkt: known.jkt,
            expires_seconds: known.expires_ms.div_euclid(1000),
        })
    }

    /// An access token of either form or a refresh token, and what is known of it. Nothing is looked up for what Falconer has not made.
    pub(super) async fn known_token(&self, sent: &str) -> Result<Option<KnownToken>, ExchangeError> {
        if let Some(signed) = self.auth.read_signed_token(sent) {
            return Ok(Some(KnownToken {
                kind: BearerKind::Signed,
                grant: signed.token.grant,
                application: signed.application,
                resources: vec![signed.resource],
                jkt: signed.token.proof_key.map(|key| key.to_string()),
                expires_ms: signed.token.expires_ms,
                is_used: false,
            }));
        }
        for (kind, secret) in [(BearerKind::Access, GrantSecretKind::AccessToken), (BearerKind::Refresh, GrantSecretKind::RefreshToken)] {
            let Some(said) = self.auth.read_token(kind, sent) else { continue };
            return Ok(match self.secret(secret, sent).await? {
                Some(record) => Some(KnownToken {
                    kind,
                    grant: record.grant,
                    application: record.application,
                    resources: record.resources,
                    jkt: record.jkt,
                    expires_ms: record.expires_ms,
                    is_used: record.used_ms.is_some(),
                }),
                None => self.no_longer_kept(kind, said).await?,
            });
        }
        Ok(None)
    }

    /// A token that Falconer has made and keeps nothing of any more: it has ended, or was exchanged, and says by its MAC of which grant it was. So it ends the grant,
    /// whenever the records of ended tokens are cleaned up.
    async fn no_longer_kept(&self, kind: BearerKind, said: TokenOfGrant) -> Result<Option<KnownToken>, ExchangeError> {
        let Some(grant) = self.live_grant(&said.grant).await? else { return Ok(None) };
        let Some(application) = self.application_of(&grant).await? else { return Ok(None) };
        let jkt = said.proof_key.map(|key| key.to_string());
        Ok(Some(KnownToken { kind, grant: grant.id, application, resources: Vec::new(), jkt, expires_ms: said.expires_ms, is_used: true }))
    }
}
