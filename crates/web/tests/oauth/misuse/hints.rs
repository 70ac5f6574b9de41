//! ID tokens that the server has not signed, brought as `id_token_hint` to where somebody is signed out: a page says that it is none of its own.

use crate::openid::{authentication_request, decode, redeem};
use crate::site::applications::{CALLBACK, fields};
use crate::site::{encode, site, with};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use http::StatusCode;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _};
use serde_json::{Value, json};

/// What somebody has who wants to have another one believed.
pub struct Known {
    /// A good token, and one of a later sign-in.
    token: String,
    later: String,
    /// The public key that it was signed with, as it is published.
    key: Value,
    access: String,
}

fn text(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn pair(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let made = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &SystemRandom::new()).unwrap()
}

impl Known {
    pub fn new(token: String, later: String, keys: &Value, access: String) -> Known {
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["alg"] == "ES256").unwrap().clone();
        Known { token, later, key, access }
    }

    fn part(&self, number: usize) -> &str {
        self.token.split('.').nth(number).unwrap()
    }

    fn header(&self, changes: &Value) -> Value {
        let mut header = decode(self.part(0));
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => _ = header.as_object_mut().unwrap().remove(name),
                value => header[name] = value.clone(),
            }
        }
        header
    }

    /// The same claims below another header, with this signature.
    pub fn below(&self, changes: &Value, signature: &str) -> String {
        format!("{}.{}.{signature}", text(&self.header(changes)), self.part(1))
    }

    /// Signed with a key of one's own.
    fn own(&self, changes: &Value, algorithm: &'static EcdsaSigningAlgorithm) -> String {
        let message = format!("{}.{}", text(&self.header(changes)), self.part(1));
        let signature = pair(algorithm).sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// Signed with something public as if it were a secret.
    fn shared(&self, secret: &[u8]) -> String {
        let message = format!("{}.{}", text(&self.header(&json!({"alg": "HS256"}))), self.part(1));
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()))
    }

    fn claims(&self, changes: &[(&str, Value)]) -> String {
        let mut claims = decode(self.part(1));
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        format!("{}.{}.{}", self.part(0), text(&claims), self.part(2))
    }

    fn point(&self) -> Vec<u8> {
        let part = |name: &str| URL_SAFE_NO_PAD.decode(self.key[name].as_str().unwrap()).unwrap();
        [vec![4], part("x"), part("y")].concat()
    }
}

const FIXED: &EcdsaSigningAlgorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;

/// What is made of it.
type Forges = fn(&Known) -> String;

/// Ways to forge one: the section that speaks of it, what it is, and how it is made.
pub const FORGED: [(&str, &str, Forges); 36] = [
    ("RFC 8725 3.1", "`alg` none, without a signature", |k| k.below(&json!({"alg": "none"}), "")),
    ("RFC 8725 3.1", "`alg` none, with the signature of before", |k| k.below(&json!({"alg": "none"}), k.part(2))),
    ("RFC 8725 3.1", "`alg` None", |k| k.below(&json!({"alg": "None"}), "")),
    ("RFC 8725 3.1", "`alg` NONE", |k| k.below(&json!({"alg": "NONE"}), "")),
    ("RFC 8725 3.1", "no `alg`", |k| k.below(&json!({"alg": null}), k.part(2))),
    ("RFC 8725 3.1", "`alg` of another kind of key", |k| k.below(&json!({"alg": "RS256"}), k.part(2))),
    ("RFC 8725 3.1", "`alg` EdDSA with the id of a key for ES256", |k| k.below(&json!({"alg": "EdDSA"}), k.part(2))),
    ("RFC 8725 3.1", "`alg` in small letters", |k| k.below(&json!({"alg": "es256"}), k.part(2))),
    ("RFC 8725 2.1", "HS256, with the public key as the secret", |k| k.shared(&k.point())),
    ("RFC 8725 2.1", "HS256, with the published key as the secret", |k| k.shared(k.key.to_string().as_bytes())),
    ("RFC 8725 2.1", "HS256, with the id of the key as the secret", |k| k.shared(k.key["kid"].as_str().unwrap().as_bytes())),
    ("RFC 8725 2.1", "HS256, with an empty secret", |k| k.shared(b"")),
    ("RFC 7515 4.1.4", "a key of one's own, with the id of the server's", |k| k.own(&json!({}), FIXED)),
    ("RFC 7515 4.1.4", "another `kid`", |k| k.own(&json!({"kid": "another"}), FIXED)),
    ("RFC 7515 4.1.4", "no `kid`", |k| k.own(&json!({"kid": null}), FIXED)),
    ("RFC 7515 4.1.4", "a `kid` that is a path", |k| k.own(&json!({"kid": "../../../dev/null"}), FIXED)),
    ("RFC 7515 4.1.4", "a `kid` that is a piece of SQL", |k| k.own(&json!({"kid": "' UNION SELECT 'x"}), FIXED)),
    ("RFC 7515 4.1.4", "a `kid` that is a list", |k| k.own(&json!({"kid": ["a"]}), FIXED)),
    ("RFC 7515 4.1.3", "a key of one's own in `jwk`", |k| {
        let own = pair(FIXED);
        let point = own.public_key().as_ref().to_vec();
        let part = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        let key = json!({"kty": "EC", "crv": "P-256", "x": part(1), "y": part(33)});
        let message = format!("{}.{}", text(&k.header(&json!({"jwk": key, "kid": null}))), k.part(1));
        let signature = own.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }),
    ("RFC 7515 4.1.2", "the address of one's own keys in `jku`", |k| k.own(&json!({"jku": "https://evil.example/jwks"}), FIXED)),
    ("RFC 7515 4.1.5", "and in `x5u`", |k| k.own(&json!({"x5u": "https://evil.example/x", "kid": null}), FIXED)),
    ("RFC 7515 5.2", "no signature", |k| k.below(&json!({}), "")),
    ("RFC 7515 5.2", "the signature of a later token", |k| k.below(&json!({}), k.later.rsplit('.').next().unwrap())),
    ("RFC 7518 3.4", "a signature of zeros", |k| k.below(&json!({}), &URL_SAFE_NO_PAD.encode([0; 64]))),
    ("RFC 7518 3.4", "a signature of 32 bytes", |k| k.below(&json!({}), &URL_SAFE_NO_PAD.encode([1; 32]))),
    ("RFC 7518 3.4", "a signature in DER", |k| k.own(&json!({}), &ECDSA_P256_SHA256_ASN1_SIGNING)),
    ("RFC 7515 5.2", "another `aud` below the signature", |k| k.claims(&[("aud", json!("page"))])),
    ("RFC 7515 5.2", "another `sub` below the signature", |k| k.claims(&[("sub", json!("somebody"))])),
    ("RFC 7515 5.2", "a later `exp` below the signature", |k| k.claims(&[("exp", json!(9_999_999_999_i64))])),
    ("RFC 7515 3.1", "two parts", |k| format!("{}.{}", k.part(0), k.part(1))),
    ("RFC 7515 3.1", "four parts", |k| format!("{}.x", k.token)),
    ("RFC 7516 3.1", "five parts, as one that is encrypted", |k| format!("{}.x.x", k.token)),
    ("RFC 7515 2", "padding", |k| k.below(&json!({}), &URL_SAFE.encode(URL_SAFE_NO_PAD.decode(k.part(2)).unwrap()))),
    ("RFC 7515 2", "a blank behind it", |k| format!("{} ", k.token)),
    ("RFC 7515 2", "in the other base64", |k| STANDARD.encode(&k.token)),
    ("RFC 9068 2.1", "an access token", |k| k.access.clone()),
];

#[tokio::test]
async fn no_id_token_counts_that_the_server_has_not_signed() {
    let site = site().await;
    let mut ann = site.ann().await;
    let mut tokens = async || {
        let code = ann.code(&authentication_request()).await;
        site.token(&redeem(&code)).await.json()
    };
    let (first, second) = (tokens().await, tokens().await);
    let own = |answer: &Value, name: &str| answer[name].as_str().unwrap().to_owned();
    let keys = site.plain("/login/oauth/jwks").await;
    let known = Known::new(own(&first, "id_token"), own(&second, "id_token"), &keys, own(&first, "access_token"));
    let asked = |hint: &str| {
        let sent = with(fields(&[("post_logout_redirect_uri", CALLBACK)]), &[("id_token_hint", hint)]);
        format!("/login/oauth/logout?{}", encode(&sent))
    };
    for (section, what, forges) in FORGED {
        let forged = forges(&known);
        assert_ne!(forged, known.token, "{section}: {what}");
        let page = site.browser().get(&asked(&forged)).await;
        assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""), "{section}: {what}: {forged}");
    }
    assert_eq!(site.browser().get(&asked(&known.token)).await.location(), CALLBACK, "and the good one counts");
}
