//! Proofs of keys (RFC 9449): whoever has a key, and what they send.

mod away;
mod given;
mod more;
pub mod plan;
pub mod section_4_3;
mod shown;

use std::sync::atomic::Ordering;

use crate::site::applications::{Fields, authorization_fields, exchange, fields};
use crate::site::{Page, Site, encode};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const TOKEN: &str = "https://auth.example.com/login/oauth/token";

/// Whoever has a key.
pub struct Holder(EcdsaKeyPair);

pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Holder {
    pub fn new() -> Holder {
        let random = SystemRandom::new();
        let kept = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Holder(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, kept.as_ref(), &random).unwrap())
    }

    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "x": base64url(&point[1..33]), "y": base64url(&point[33..])})
    }

    pub fn jkt(&self) -> String {
        let point = self.0.public_key().as_ref();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64url(&point[1..33]), base64url(&point[33..]));
        base64url(&Sha256::digest(canonical))
    }

    /// Any header and any claims, signed.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature.as_ref()))
    }

    fn header(&self) -> Value {
        json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()})
    }

    /// For an endpoint that gives tokens.
    pub fn proof(&self, site: &Site, htu: &str, jti: &str) -> String {
        self.signed(&self.header(), &claims(site, "POST", htu, jti))
    }

    /// For a service that is shown a token.
    pub fn with_token(&self, site: &Site, method: &str, htu: &str, jti: &str, token: &str) -> String {
        let mut claims = claims(site, method, htu, jti);
        claims["ath"] = base64url(&Sha256::digest(token)).into();
        self.signed(&self.header(), &claims)
    }
}

fn claims(site: &Site, method: &str, htu: &str, jti: &str) -> Value {
    json!({"jti": jti, "htm": method, "htu": htu, "iat": site.clock.0.load(Ordering::SeqCst) / 1000})
}

async fn post(site: &Site, path: &str, fields: &Fields, proofs: &[&str]) -> Page {
    let mut request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(ACCEPT, "application/json");
    for proof in proofs {
        request = request.header("DPoP", *proof);
    }
    site.send(request.body(encode(fields).into()).unwrap()).await
}

pub async fn token(site: &Site, fields: &Fields, proof: &str) -> Page {
    post(site, "/login/oauth/token", fields, &[proof]).await
}

async fn code(site: &Site, more: &[(&str, &str)]) -> String {
    let mut asked = authorization_fields();
    asked.extend(fields(more));
    site.ann().await.code(&asked).await
}

/// A token that is bound to the key, and its refresh token.
async fn bound(site: &Site, holder: &Holder) -> (String, String) {
    let code = code(site, &[]).await;
    let answer = token(site, &exchange(&code), &holder.proof(site, TOKEN, &format!("for {code}"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let json = answer.json();
    assert_eq!(json["token_type"], "DPoP", "{}", plan::row("a code with a proof"));
    (json["access_token"].as_str().unwrap().to_owned(), json["refresh_token"].as_str().unwrap().to_owned())
}

fn question(authorization: &str, proof: Option<&str>) -> Value {
    let mut request =
        json!({"method": "get", "resource": "/books/red?page=2", "host": "notes.example", "port": 443, "authorization": authorization});
    if let Some(proof) = proof {
        request["dpop"] = proof.into();
    }
    json!({"request": request, "required": "notes:read:red", "bearer": true})
}

async fn ask(site: &Site, question: &Value) -> Value {
    let request = Request::post("/api/falconer/v1/check").header("content-type", "application/json");
    let answer = site.send(request.body(Body::from(question.to_string())).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn word(answer: &Value) -> (&str, &str) {
    (answer["status"].as_str().unwrap(), answer["reason"].as_str().unwrap_or_default())
}

async fn word_of(site: &Site, token: &str, proof: &str) -> (String, String) {
    let answer = ask(site, &question(&format!("DPoP {token}"), Some(proof))).await;
    let (status, reason) = word(&answer);
    (status.to_owned(), reason.to_owned())
}

const BOOK: &str = "https://notes.example/books/red";
