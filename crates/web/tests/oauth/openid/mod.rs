//! OpenID Connect in process: what an application learns of a person, as tables that name the section of the specification that each row comes from.
//! `Core` is OpenID Connect Core 1.0, `Discovery` OpenID Connect Discovery 1.0, `Logout` OpenID Connect RP-Initiated Logout 1.0, `Back-Channel`
//! OpenID Connect Back-Channel Logout 1.0.

mod backchannel;
mod conformance;
mod discovery;
mod exchanges;
mod id_tokens;
mod keys;
mod logout;
mod refreshed;
mod requests;
mod user_info;

use crate::site::applications::{Fields, exchange, fields};
use crate::site::{Browser, Site, with};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde_json::Value;

/// Parameters that are another than in a good request; an empty one is left out.
pub type Changes = &'static [(&'static str, &'static str)];

pub fn authentication_request() -> Fields {
    with(
        crate::site::applications::authorization_fields(),
        &[("client_id", "who"), ("scope", "openid profile email groups notes:read:*"), ("nonce", "n&0")],
    )
}

/// A request with those changes.
pub fn changed(fields: Fields, changes: Changes) -> Fields {
    with(fields, changes).into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

pub fn redeem(code: &str) -> Fields {
    with(exchange(code), &[("client_id", "who")])
}

/// What asks for other tokens with the refresh token of an answer.
pub fn refreshes(answer: &Value) -> Fields {
    fields(&[("grant_type", "refresh_token"), ("refresh_token", answer["refresh_token"].as_str().unwrap()), ("client_id", "who")])
}

pub fn decode(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Header and claims of a token whose signature holds by a key of the set.
pub fn verified(token: &str, keys: &Value) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{token} has no three parts") };
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (header, claims) = (decode(header), decode(claims));
    let fitting: Vec<&Value> = keys["keys"].as_array().unwrap().iter().filter(|key| key["kid"] == header["kid"]).collect();
    assert_eq!(fitting.len(), 1, "one key of this id: {header} {keys}");
    let key = fitting[0];
    assert_eq!(key["alg"], header["alg"]);
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let holds = match header["alg"].as_str().unwrap() {
        "ES256" => {
            let point = [vec![4], part("x"), part("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message.as_bytes(), &signature)
        }
        _ => UnparsedPublicKey::new(&ED25519, part("x")).verify(message.as_bytes(), &signature),
    };
    holds.expect("the signature holds");
    (header, claims)
}

impl Site {
    pub async fn plain(&self, path: &str) -> Value {
        let page = self.send(Request::get(path).body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!((page.status, page.header("access-control-allow-origin")), (StatusCode::OK, "*"), "{path}: {}", page.text);
        page.json()
    }

    pub async fn user_info(&self, token: &str) -> crate::site::Page {
        let request = Request::get("/login/oauth/userinfo").header(AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(axum::body::Body::empty()).unwrap()).await
    }

    /// The answer of the token endpoint and the claims of the ID token.
    pub async fn signs_in(&self, browser: &mut Browser<'_>, request: &Fields) -> (Value, Value) {
        let code = browser.code(request).await;
        let answer = self.token(&redeem(&code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let answer = answer.json();
        let (_, claims) = verified(answer["id_token"].as_str().unwrap(), &self.plain("/login/oauth/jwks").await);
        (answer, claims)
    }
}
