//! Keys, and others in their place.

use std::sync::atomic::Ordering;

use super::{authentication_request, decode, redeem, refreshes, verified};
use crate::site::applications::{CALLBACK, authorize, fields};
use crate::site::{Browser, Site, site, with};
use falconer_auth::{ApplicationInput, Authentication, DAY_MS, SigningAlgorithm};
use http::StatusCode;

#[tokio::test]
async fn another_key_is_published_before_it_signs_and_the_one_before_after_it() {
    let site = site().await;
    let mut ann = site.ann().await;
    let key_of = async |site: &Site, ann: &mut Browser<'_>| {
        let code = ann.code(&authentication_request()).await;
        let answer = site.token(&redeem(&code)).await.json();
        let token = answer["id_token"].as_str().unwrap().to_owned();
        verified(&token, &site.plain("/login/oauth/jwks").await);
        decode(token.split('.').next().unwrap())["kid"].as_str().unwrap().to_owned()
    };
    let first = key_of(&site, &mut ann).await;
    assert_eq!(key_of(&site, &mut ann).await, first, "the first one signs at once");
    site.web.grants.rotate_signing_key(None).await.unwrap().unwrap();
    assert_eq!(site.plain("/login/oauth/jwks").await["keys"].as_array().unwrap().len(), 4, "Core 10.1.1: both are published");
    assert_eq!(key_of(&site, &mut ann).await, first, "and nobody needs the new one yet");
    site.clock.0.fetch_add(60_000, Ordering::SeqCst);
    let second = key_of(&site, &mut ann).await;
    assert_ne!(second, first, "Core 10.1.1: a minute later it signs");
    assert_eq!(site.plain("/login/oauth/jwks").await["keys"].as_array().unwrap().len(), 4);
    site.clock.0.fetch_add(86_400_000, Ordering::SeqCst);
    assert_eq!(site.plain("/login/oauth/jwks").await["keys"].as_array().unwrap().len(), 2, "a day later the first one is gone");
}

#[tokio::test]
async fn what_needs_a_key_of_rsa_is_refused_before_anybody_is_asked() {
    let site = site().await;
    let mut ann = site.ann().await;
    let location = ann.get(&authorize(&with(authentication_request(), &[("client_id", "who-rsa")]))).await.location().to_owned();
    assert!(location.contains("?error=server_error&"), "{location}");
    let without = authorize(&with(authentication_request(), &[("client_id", "who-rsa"), ("scope", "notes:read:*")]));
    assert_eq!(ann.get(&without).await.status, http::StatusCode::OK, "who asks for no ID token needs no key");
    let device = fields(&[("client_id", "who-rsa"), ("scope", "openid")]);
    let answer = site.application("/login/oauth/device_authorization", &device, None).await;
    assert_eq!(answer.oauth_error(), (400, "invalid_scope".to_owned()));
    let algorithms = site.plain("/.well-known/openid-configuration").await["id_token_signing_alg_values_supported"].clone();
    assert_eq!(algorithms, serde_json::json!(["ES256", "EdDSA"]));
    for no_key in [&b""[..], b"x", &[0x30, 0x82, 0x00]] {
        assert_eq!(site.web.grants.rotate_signing_key(Some(no_key)).await.unwrap(), None);
    }
    assert_eq!(site.plain("/login/oauth/jwks").await["keys"].as_array().unwrap().len(), 2, "nothing was replaced");
}

/// Story: the ID token was made when the refresh token was used up already. Where there was no key for it the application came again, as its library does, and that second
/// use ended its grant.
#[tokio::test]
async fn what_can_not_be_signed_uses_nothing_up() {
    let site = site().await;
    site.somebody("admin", &["auth:*", "notes:*", "openid"]).await;
    let admin = Authentication::person("local/admin");
    let of = |id_token_alg| ApplicationInput {
        name: "Wiki".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        scopes: vec!["openid".to_owned(), "notes:read:*".to_owned()],
        max_life_ms: DAY_MS,
        id_token_alg,
        ..ApplicationInput::default()
    };
    let by_es256 = of(SigningAlgorithm::Es256);
    site.web.grants.put_application(&admin, "wiki", &by_es256, None).await.unwrap();
    let asked = with(authentication_request(), &[("client_id", "wiki"), ("scope", "openid notes:read:*")]);
    let mut ann = site.ann().await;
    let exchange = |code: &str| with(redeem(code), &[("client_id", "wiki")]);
    let tokens = site.token(&exchange(&ann.code(&asked).await)).await.json();
    let code = ann.code(&asked).await;
    let refresh = with(refreshes(&tokens), &[("client_id", "wiki")]);

    // Nobody can say so any more; a server whose key was taken away has it so.
    let by_rsa = of(SigningAlgorithm::Rs256);
    assert!(site.web.grants.put_application(&admin, "wiki", &by_rsa, None).await.is_err());
    site.auth.put_application(&admin, "wiki", &by_rsa, "", None).await.unwrap();
    for _ in 0..2 {
        for request in [&refresh, &exchange(&code)] {
            assert_eq!(site.token(request).await.status, StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
    site.web.grants.put_application(&admin, "wiki", &by_es256, None).await.unwrap();
    for request in [&refresh, &exchange(&code)] {
        let answer = site.token(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(answer.json()["id_token"].is_string());
    }
}
