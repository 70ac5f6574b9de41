//! What comes with a refresh token (OpenID Connect Core 1.0 section 12).

use std::sync::atomic::Ordering;

use super::{authentication_request, refreshes, verified};
use crate::site::{site, with};
use http::StatusCode;
use ring::digest::{SHA256, digest};
use serde_json::Value;

/// Claims of the second ID token beside the first: the section, the claim, and what has become of it.
pub const CLAIMS: [(&str, &str, Now); 13] = [
    ("Core 12.2", "iss", Now::Same),
    ("Core 12.2", "sub", Now::Same),
    ("Core 12.2", "aud", Now::Same),
    ("Core 12.2", "auth_time", Now::Same),
    ("Core 12.2", "azp", Now::Absent),
    ("Core 12.2", "nonce", Now::Absent),
    ("Core 12.2", "iat", Now::Later),
    ("Core 2", "exp", Now::Later),
    ("Core 2", "acr", Now::Same),
    ("Core 2", "amr", Now::Same),
    ("Core 5.4", "preferred_username", Now::Same),
    ("Core 5.4", "email", Now::Same),
    ("Core 5.1.2", "groups", Now::Same),
];

#[derive(Clone, Copy, PartialEq)]
pub enum Now {
    Same,
    Later,
    Absent,
}

#[tokio::test]
async fn another_id_token_tells_of_the_same_sign_in() {
    let site = site().await;
    let mut ann = site.ann().await;
    let (answer, first) = site.signs_in(&mut ann, &authentication_request()).await;
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    let later = site.token(&refreshes(&answer)).await.json();
    let (_, second) = verified(later["id_token"].as_str().unwrap(), &site.plain("/login/oauth/jwks").await);
    for (section, claim, now) in CLAIMS {
        let (before, after) = (&first[claim], &second[claim]);
        let holds = match now {
            Now::Same => !after.is_null() && after == before,
            Now::Later => after.as_i64().unwrap() == before.as_i64().unwrap() + 60,
            Now::Absent => after.is_null(),
        };
        assert!(holds, "{section}: {claim}: {before} and then {after}");
    }
    let hash = digest(&SHA256, later["access_token"].as_str().unwrap().as_bytes());
    let half = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &hash.as_ref()[..16]);
    assert_eq!(second["at_hash"], half, "Core 3.1.3.6: that of the token beside it");
}

/// What a request for other tokens may name as its scope, and what it is answered.
pub const SCOPES: [(&str, &str, Option<&str>); 7] = [
    ("RFC 6749 6", "openid profile email groups notes:read:*", None),
    ("RFC 6749 6", "notes:read:* groups email profile openid", None),
    ("RFC 6749 6", "openid notes:read:*", None),
    ("RFC 6749 6", "notes:read:*", None),
    ("RFC 6749 6", "openid", Some("invalid_scope")),
    ("RFC 6749 6", "openid notes:read:* address", Some("invalid_scope")),
    ("RFC 6749 6", "openid notes:read:* notes:write:mine", Some("invalid_scope")),
];

#[tokio::test]
async fn the_scope_of_before_may_be_named() {
    let site = site().await;
    let mut ann = site.ann().await;
    let (mut answer, _) = site.signs_in(&mut ann, &authentication_request()).await;
    for (section, scope, refused) in SCOPES {
        let page = site.token(&with(refreshes(&answer), &[("scope", scope)])).await;
        match refused {
            Some(error) => assert_eq!(page.oauth_error(), (400, error.to_owned()), "{section}: {scope}"),
            None => {
                assert_eq!(page.status, StatusCode::OK, "{section}: {scope}: {}", page.text);
                answer = page.json();
                assert_eq!(answer["scope"], "openid profile email groups notes:read:*", "{section}: {scope}");
                assert!(matches!(answer["id_token"], Value::String(_)), "{section}: {scope}");
            }
        }
    }
}
