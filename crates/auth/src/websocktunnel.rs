//! Tokens with which a worker may open a tunnel under its name (`auth-api.md` 8.7 "websocktunnelToken").

use falconer_store::Secret;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::error::ApiError;
use crate::node::Auth;
use crate::time::{DAY_MS, MINUTE_MS};
use crate::verify::caller::Authentication;

/// How long a token counts.
const LIFE_MS: i64 = 4 * DAY_MS;
/// How far back it counts, for services whose clock is behind.
const SKEW_MS: i64 = 15 * MINUTE_MS;

/// A token, and when it ends.
pub struct WebsocktunnelToken {
    /// A JWT, signed with HS256 and the secret that the tunnel knows too.
    pub token: Secret,
    /// Milliseconds since the epoch; the token's own end is the same in whole seconds.
    pub expires_ms: i64,
}

#[derive(Serialize)]
struct Claims<'a> {
    tid: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    nbf: i64,
    iss: &'static str,
}

impl Auth {
    /// A token for the tunnel client `wst_client` at the tunnel `wst_audience`. The caller needs
    /// `auth:websocktunnel-token:<wst_audience>/<wst_client>`. Not found where [`crate::AuthSettings::websocktunnel_secret`] is not set.
    pub fn websocktunnel_token(&self, who: &Authentication, wst_audience: &str, wst_client: &str) -> Result<WebsocktunnelToken, ApiError> {
        let caller = self.caller(who)?;
        caller.require_scope(format!("auth:websocktunnel-token:{wst_audience}/{wst_client}"))?;
        let Some(secret) = &self.node.settings.websocktunnel_secret else {
            return Err(ApiError::ResourceNotFound("Tokens for websocktunnels are not configured here".to_owned()));
        };
        let now_ms = self.now_ms();
        let seconds = |ms: i64| ms.div_euclid(1000);
        let claims = Claims {
            tid: wst_client,
            aud: wst_audience,
            sub: &caller.actor(),
            iat: seconds(now_ms),
            exp: seconds(now_ms.saturating_add(LIFE_MS)),
            nbf: seconds(now_ms.saturating_sub(SKEW_MS)),
            iss: "taskcluster-auth",
        };
        let key = EncodingKey::from_secret(secret.expose().as_bytes());
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
            .map_err(|error| ApiError::Internal(format!("a token could not be signed: {error}")))?;
        Ok(WebsocktunnelToken { token: Secret::new(token), expires_ms: now_ms.saturating_add(LIFE_MS) })
    }
}
