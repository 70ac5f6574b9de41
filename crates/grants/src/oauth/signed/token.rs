//! A signed access token (RFC 9068 section 2). It is kept nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::{BearerKind, KeyThumbprint, MINUTE_MS, SIGNED_TOKEN, TokenBounds};
use falconer_login::LoginError;
use falconer_store::{GrantIdentityRecord, GrantRecord};
use ring::digest;
use serde_json::{Map, Value, json};

use crate::grants::Grants;
use crate::oauth::request::resources::services;
use crate::oauth::signed::form::SignedForm;

/// Whoever verifies by themselves learns late of what happens here.
pub(super) const LIFE_MS: i64 = 5 * MINUTE_MS;

impl Grants {
    /// The token and its end, milliseconds since 1970.
    pub(crate) fn sign_access_token(
        &self,
        grant: &GrantRecord,
        form: &SignedForm,
        application: &str,
        proof_key: Option<KeyThumbprint>,
        identity: Option<&GrantIdentityRecord>,
    ) -> Result<(String, i64), LoginError> {
        let unable = || LoginError::Internal(format!("a token of grant {} could not be signed", grant.id));
        let now_ms = self.now_ms();
        // In whole seconds, and never beyond the grant.
        let expires_seconds = now_ms.saturating_add(LIFE_MS).min(grant.expires_ms).div_euclid(1000);
        let services = services(std::slice::from_ref(&form.resource)).ok_or_else(unable)?;
        let bounds = TokenBounds { services, proof_key };
        let name = self.auth.issue_token(BearerKind::Signed, grant, bounds, expires_seconds.saturating_mul(1000))?;
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        claim("iss", self.auth.public_origin().to_string().into());
        claim("aud", form.resource.as_str().into());
        claim("sub", form.subject.as_str().into());
        claim("client_id", application.into());
        claim("iat", now_ms.div_euclid(1000).into());
        claim("exp", expires_seconds.into());
        claim("jti", name.into());
        claim("falconer_grant", name_of_grant(&form.resource, &grant.id).into());
        claim("scope", form.scope.as_str().into());
        // How the person signed in, where the application was let know who they are (section 2.2.1).
        if let Some(identity) = identity {
            if let Some(proved_ms) = identity.proved_ms {
                claim("auth_time", (proved_ms / 1000).into());
            }
            claim("acr", identity.factors.to_string().into());
        }
        if let Some(key) = proof_key {
            claim("cnf", json!({ "jkt": key.to_string() }));
        }
        let signed = form.key.sign(form.alg, SIGNED_TOKEN, &Value::Object(claims)).ok_or_else(unable)?;
        Ok((signed, expires_seconds.saturating_mul(1000)))
    }
}

/// What the tokens of a grant have as `falconer_grant` for this service. No other service has the same, and nobody learns the id from it.
pub(super) fn name_of_grant(resource: &str, grant: &str) -> String {
    name_at("falconer.ended.1", resource, grant)
}

/// Who the person is for this service, as `sub`: the same for all applications. Nobody learns the id from it, which an application is told only that the person has let know
/// who they are.
pub(super) fn subject_at(resource: &str, person: &str) -> String {
    name_at("falconer.subject.1", resource, person)
}

fn name_at(purpose: &str, resource: &str, id: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("{purpose}\n{resource}\n{id}").as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default())
}
