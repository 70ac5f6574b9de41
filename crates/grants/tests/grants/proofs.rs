//! Proofs of keys (RFC 9449) on two nodes that share a store: where tokens are given one counts once on both, at services once on each.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::{Auth, Decision, ProofParts, Question, Reason, RequestParts, UrlScheme};
use falconer_grants::{ClientProof, ExchangeError, Grants, IssuedToken, Parameters, ProofFault, SentProof, TokenScheme};
use falconer_scopes::Expression;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::applications::{code, code_of, notes, settings};
use super::common::{START_MS, World};
use super::postgres::Database;
use super::races::{at_once, first_on, second_on};
use super::tokens::second_node;

const TOKEN: &str = "https://auth.example.com/login/oauth/token";

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A proof of the one key of these tests.
fn proof(method: &str, htu: &str, jti: &str, token: Option<&str>) -> String {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key())});
    let header = json!({"typ": "dpop+jwt", "alg": "Ed25519", "jwk": jwk});
    let mut claims = json!({"jti": jti, "htm": method, "htu": htu, "iat": START_MS / 1000});
    if let Some(token) = token {
        claims["ath"] = base64url(digest(&SHA256, token.as_bytes())).into();
    }
    let message = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
    format!("{message}.{}", base64url(key.sign(message.as_bytes())))
}

async fn exchange(grants: &Grants, code: &Parameters, proof: &str) -> Result<IssuedToken, ExchangeError> {
    let proof = SentProof { header: Some(proof), path: "/login/oauth/token" };
    grants.token(code, ClientProof::Id("notes"), proof).await
}

async fn check(auth: &Auth, token: &str, proof: ProofParts<'_>) -> Decision {
    let header = format!("DPoP {token}");
    let parts = RequestParts { method: "get", resource: "/x", host: "notes.example.com", port: 443, authorization: Some(&header) };
    let required = Expression::Scope("notes:read:zap/x".to_owned());
    let question =
        Question { parts, proof, required: &required, payload_hash: None, each: None, reveal: None, identity: false, bearer: true };
    auth.check(&question).await.unwrap()
}

#[tokio::test]
async fn a_proof_gives_tokens_once_on_two_nodes() {
    let world = World::with(settings(vec![notes()])).await;
    let (other, _) = second_node(&world).await;
    let ann = world.ann().await;
    let (first, second) = (code_of(&world, &ann).await, code_of(&world, &ann).await);
    let sent = proof("POST", TOKEN, "1", None);
    let issued = exchange(&world.grants, &first, &sent).await.ok().unwrap();
    assert_eq!(issued.scheme, TokenScheme::Dpop);
    assert_eq!(exchange(&other, &second, &sent).await.err(), Some(ExchangeError::Proof(ProofFault::Replayed)));
    assert!(exchange(&other, &second, &proof("POST", TOKEN, "2", None)).await.is_ok(), "the code was left as it was");
}

/// A write for each request of each service would be too much, so that each node remembers what it has seen (`docs/adr/0303`).
#[tokio::test]
async fn a_proof_at_a_service_counts_once_on_each_node() {
    let world = World::with(settings(vec![notes()])).await;
    let issued = exchange(&world.grants, &code(&world).await, &proof("POST", TOKEN, "1", None)).await.ok().unwrap();
    let (_, other) = second_node(&world).await;
    let sent = proof("GET", "https://notes.example.com/x", "2", Some(&issued.token));
    let dpop = ProofParts { dpop: Some(&sent), follow_up: None, url_scheme: UrlScheme::Https };
    let mut follow_ups = Vec::new();
    for node in [&world.auth, &other] {
        let Decision::Allowed(allowed) = check(node, &issued.token, dpop).await else { panic!("a proof that was not seen here") };
        follow_ups.extend(allowed.follow_up);
        assert_eq!(check(node, &issued.token, dpop).await, Decision::Failed(Reason::Proof(ProofFault::Replayed)));
    }
    // What goes in its place counts on all: the next question may come to any of them.
    assert_eq!(follow_ups[0], follow_ups[1]);
    let follow_up = ProofParts { dpop: None, follow_up: Some(&follow_ups[0]), url_scheme: UrlScheme::Https };
    assert!(matches!(check(&other, &issued.token, follow_up).await, Decision::Allowed(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn of_64_uses_of_a_proof_on_two_servers_one_gives_tokens() {
    let database = Database::make().await;
    let world = first_on(&database).await;
    let (ann, mut codes) = (world.ann().await, Vec::new());
    for _ in 0..8 {
        codes.push(code_of(&world, &ann).await);
    }
    let (other, _) = second_on(&database, &world).await;
    let (codes, sent) = (Arc::new(codes), proof("POST", TOKEN, "once", None));
    let answers = at_once([Arc::new(world.grants), other], |node, number| {
        let (codes, sent) = (Arc::clone(&codes), sent.clone());
        async move { exchange(&node, &codes[number % 8], &sent).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
}
