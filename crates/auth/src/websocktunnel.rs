//! Tokens with which a worker may open a tunnel under its name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_store::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;

use crate::error::ApiError;
use crate::node::Auth;
use crate::time::{DAY_MS, MINUTE_MS};
use crate::verify::caller::Authentication;

/// How long a token counts at most.
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
    /// `auth:websocktunnel-token:<wst_audience>/<wst_client>`. Nobody can take it back, so it ends with the caller's credentials, and their grant, at the latest. Not found where [`crate::AuthSettings::websocktunnel_secret`] is not set.
    pub fn websocktunnel_token(&self, who: &Authentication, wst_audience: &str, wst_client: &str) -> Result<WebsocktunnelToken, ApiError> {
        let caller = self.caller(who)?;
        caller.require_scope(format!("auth:websocktunnel-token:{wst_audience}/{wst_client}"))?;
        let Some(secret) = &self.node.settings.websocktunnel_secret else {
            return Err(ApiError::ResourceNotFound("Tokens for websocktunnels are not configured here".to_owned()));
        };
        let now_ms = self.now_ms();
        let most_ms = now_ms.saturating_add(LIFE_MS);
        // Whoever has no credentials has none that end.
        let expires_ms = if caller.client_id.is_some() { most_ms.min(caller.expires_ms) } else { most_ms };
        let seconds = |ms: i64| ms.div_euclid(1000);
        let claims = Claims {
            tid: wst_client,
            aud: wst_audience,
            sub: &caller.actor(),
            iat: seconds(now_ms),
            exp: seconds(expires_ms),
            nbf: seconds(now_ms.saturating_sub(SKEW_MS)),
            iss: "taskcluster-auth",
        };
        let token = sign(&claims, secret)?;
        Ok(WebsocktunnelToken { token: Secret::new(token), expires_ms })
    }
}

/// The only header that these tokens have.
const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

/// A JWT (RFC 7519) with HS256: the one algorithm that needs no more than the hash which is here anyway.
fn sign(claims: &Claims, secret: &Secret) -> Result<String, ApiError> {
    let internal = |reason: String| ApiError::Internal(format!("a token could not be signed: {reason}"));
    let claims = serde_json::to_vec(claims).map_err(|error| internal(error.to_string()))?;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|error| internal(error.to_string()))?;
    mac.update(signed.as_bytes());
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}
