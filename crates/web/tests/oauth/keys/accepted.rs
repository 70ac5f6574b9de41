//! What an application gets that proves itself by a key, at each endpoint.

use super::{CALLBACK, ISSUER, TAKEN, TOKEN, World, by, header, row};
use crate::site::applications::{Fields, VERIFIER, authorization_fields, fields};
use crate::site::with;
use falconer_login::pkce_challenge;
use http::{Request, StatusCode};
use serde_json::{Value, json};

/// Changes the header and the claims; it is told the server's time in seconds, too.
type Change = fn(&mut Value, &mut Value, i64);

/// What may be otherwise: the section, what is tried, and what is changed.
const CASES: [(&str, &str, Change); 8] = [
    ("RFC 7523 3", "`aud` is the token endpoint", |_, claims, _| claims["aud"] = TOKEN.into()),
    ("RFC 7523 3", "`aud` is a list of the issuer alone", |_, claims, _| claims["aud"] = json!([ISSUER])),
    ("RFC 7523 3", "`exp` is 5 minutes ahead", |_, claims, now| claims["exp"] = (now + 300).into()),
    ("RFC 7523 3", "`iat` and `nbf` of a clock that is a minute ahead", |_, claims, now| {
        (claims["iat"], claims["nbf"]) = ((now + 60).into(), (now + 60).into());
    }),
    ("RFC 7523 3", "`exp` is an hour ahead, beside `iat`", |_, claims, now| claims["exp"] = (now + 3600).into()),
    ("RFC 7523 3", "no `iat`", |_, claims, _| _ = claims.as_object_mut().unwrap().remove("iat")),
    ("RFC 7519 5.1", "`typ` is `JWT`", |header, _, _| header["typ"] = "JWT".into()),
    ("RFC 7523 3", "`typ` is `client-authentication+jwt`", |header, _, _| header["typ"] = "client-authentication+jwt".into()),
];

pub fn rows() -> Vec<(String, String, String)> {
    CASES.iter().map(|(section, what, _)| ((*section).to_owned(), (*what).to_owned(), TAKEN.to_owned())).collect()
}

#[tokio::test]
async fn what_may_be_otherwise_may() {
    let world = World::new().await;
    for (_, what, change) in CASES {
        let (mut header, mut claims) = (header(), world.claims());
        change(&mut header, &mut claims, world.now_seconds());
        let answer = world.introspects(&world.keys[0].signed(&header, &claims)).await;
        assert_eq!(answer.status, StatusCode::OK, "{what}: {}", answer.text);
    }
}

fn asks() -> Fields {
    with(authorization_fields(), &[("client_id", "keyed"), ("redirect_uri", CALLBACK), ("scope", "notes:read:*")])
}

#[tokio::test]
async fn an_application_with_keys_has_all_that_one_with_a_secret_has() {
    let world = World::new().await;
    let site = &world.site;
    let mut claims = world.claims();
    claims["aud"] = format!("{ISSUER}/login/oauth/par").into();
    let mut pushed = by(&world.signed(&claims), &[]);
    pushed.extend(asks());
    let answer = site.application("/login/oauth/par", &pushed, None).await;
    let what = row("the assertion of a pushed request is for the endpoint of pushed requests");
    assert_eq!(answer.status, StatusCode::CREATED, "{what}: {}", answer.text);
    let mut pushed = by(&world.assertion(), &[("client_id", "keyed")]);
    pushed.extend(asks().into_iter().filter(|(name, _)| name != "client_id"));
    let answer = site.application("/login/oauth/par", &pushed, None).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", row("a request is pushed with an assertion"));
    let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
    let content = uri.strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap().split('.').next().unwrap();
    let content = {
        use base64::Engine as _;
        String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(content).unwrap()).unwrap()
    };
    assert!(!content.contains("assertion"), "{}: {content}", row("neither the assertion nor its type is in what was pushed"));

    let code = site.ann().await.code(&fields(&[("client_id", "keyed"), ("request_uri", &uri)])).await;
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let answer = site.token(&by(&world.assertion(), &exchange)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}: {}", row("a code is exchanged with an assertion"), answer.text);
    let refresh = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    let answer = site.token(&by(&world.assertion(), &[("grant_type", "refresh_token"), ("refresh_token", &refresh)])).await;
    assert_eq!(answer.status, StatusCode::OK, "{}: {}", row("a refresh token is exchanged with an assertion"), answer.text);
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    let active = async |what: &str, is_active: bool| {
        let answer = site.application("/login/oauth/introspect", &by(&world.assertion(), &[("token", &access)]), None).await;
        assert_eq!(answer.json()["active"], is_active, "{what}");
    };
    active(row("a token is introspected with an assertion"), true).await;
    let answer = site.application("/login/oauth/revoke", &by(&world.assertion(), &[("token", &access)]), None).await;
    assert_eq!(answer.status, StatusCode::OK);
    active(row("a token is revoked with an assertion"), false).await;
    let answer = site.application("/login/oauth/device_authorization", &by(&world.assertion(), &[]), None).await;
    // It is known, and told what it is not registered for.
    assert_eq!(answer.oauth_error(), (400, "unauthorized_client".to_owned()), "{}", row("a device asks with an assertion"));
    assert_eq!(pkce_challenge(VERIFIER).len(), 43);
}

#[tokio::test]
async fn the_metadata_says_so() {
    let world = World::new().await;
    let get = Request::get("/.well-known/oauth-authorization-server").body(axum::body::Body::empty()).unwrap();
    let metadata = world.site.send(get).await.json();
    let what = row("`token_endpoint_auth_methods_supported` and the algorithms");
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = metadata[format!("{endpoint}_endpoint_auth_methods_supported")].as_array().unwrap();
        assert!(methods.contains(&json!("private_key_jwt")), "{what}: {endpoint}");
        let algorithms = &metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
        assert_eq!(*algorithms, json!(["ES256", "Ed25519", "EdDSA", "ES384", "PS256", "RS256"]), "{what}: {endpoint}");
    }
}
